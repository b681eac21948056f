"""Numbers and bookings for programs. hot.py: three plain views with msgspec (booking.md); the rest is DRF."""
