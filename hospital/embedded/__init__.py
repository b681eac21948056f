"""The PostgreSQL and Redis that start when nobody gave a URL, and the demo that runs on them.

Nothing here needs Django's settings: the servers must be up, and DATABASE_URL and REDIS_URL set,
before settings are read. Start at `__main__` (commands), `servers` (both servers as one context)
and `demo` (everything that `make demo` starts).
"""
