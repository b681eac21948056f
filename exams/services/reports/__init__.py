"""检查报告 (E7): written, released, corrected, withdrawn; its files; critical values; links on paper; who read it."""

from .correcting import correct, withdraw
from .critical import acknowledge, escalate
from .reading import read
from .writing import Says, register, release, revise

__all__ = ["Says", "acknowledge", "correct", "escalate", "read", "register", "release", "revise", "withdraw"]
