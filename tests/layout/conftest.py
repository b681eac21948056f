from tests.supply.scenes import hospital  # noqa: F401
