from tests.bookings.conftest import _stopped_clock, mine

__all__ = ["_stopped_clock", "mine"]
