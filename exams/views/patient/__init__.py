"""A patient's own exams: what is to be booked and what is booked, booking alone, moving, giving back (E2, E5)."""
