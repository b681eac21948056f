from tests.api.conftest import stopped_clock  # noqa: F401
