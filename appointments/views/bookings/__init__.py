"""A patient's own bookings: step 4, the success card, the list, cancel, change, confirm, the calendar file."""
