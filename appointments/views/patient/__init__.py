"""The patient's way to a number: home, department, doctor, slice. Who and confirm: appointments/views/bookings.py."""
