"""How the tests are dealt out to the workers of xdist: whole files, the longest first, the fault tests to one worker.

What a file shares (a seeded hospital, a running house) is then made once. Fault tests kill processes and measure
seconds, so they run one after another.
"""

from xdist.scheduler.loadscope import LoadScopeScheduling

TOGETHER = "tests/faults/"
LONGEST = (TOGETHER, "tests/embedded/test_servers", "tests/bench/", "tests/browser/")
"""Begun in this order, so that no worker sits idle at the end; the rest as collected. The second needs no database: it
runs while the other worker makes the one that all are copied from."""


class ByFile(LoadScopeScheduling):
    """A work unit is a file, or all of TOGETHER; they are begun as the workers have sorted their tests (`place`)."""

    def __init__(self, config, log=None):
        config.option.loadscopereorder = False  # the number of a file's tests says nothing about its length
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else nodeid.partition("::")[0]


def place(nodeid: str) -> int:
    return next((n for n, begins in enumerate(LONGEST) if nodeid.startswith(begins)), len(LONGEST))
