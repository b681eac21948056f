"""初始目录: what a hospital's exams start with, from the house's list of rules. The office edits all of it."""

from .giving import give

__all__ = ["give"]
