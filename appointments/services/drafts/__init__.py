"""排班草稿 (P2): what the templates would make of some days, looked at before it counts, then published as one act."""

from .making import make
from .publishing import discard, publish, tick

__all__ = ["discard", "make", "publish", "tick"]
