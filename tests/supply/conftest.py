from .scenes import hospital

__all__ = ["hospital"]
