"""Stand-ins for what a hospital is connected to, each a process of its own: no Django, no database of ours, no secret.

They behave as the real ones do, well and badly: slow, gone, failing after they did it, answering twice.
"""
