"""A measurement in a process of its own, on a database of its own. What they all read (the code) is read once.

Each process is forked from a server that has imported the code and asked no database anything: nothing that one
measurement keeps in memory is there for the next.
"""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from urllib.parse import unquote, urlsplit

_fresh = multiprocessing.get_context("forkserver")
_fresh.set_forkserver_preload(["bench.loaded"])


def run(url: str, module: str, function: str, *arguments):
    """What `bench.<module>.<function>(*arguments)` returns there."""
    with ProcessPoolExecutor(1, mp_context=_fresh) as process:
        return process.submit(_there, url, module, function, arguments).result()


def _there(url: str, module: str, function: str, arguments: tuple):
    from django.conf import settings

    name = unquote(urlsplit(url).path.lstrip("/"))
    os.environ["DATABASE_URL"] = url  # for servers that are started there
    settings.DATABASES["default"]["NAME"] = name
    for cache in settings.CACHES.values():  # as bench.settings
        cache["KEY_PREFIX"] = name
    return getattr(import_module(f"bench.{module}"), function)(*arguments)
