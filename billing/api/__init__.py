"""Invoices for programs: what is to be paid for what the account booked, and paying it (M1, M2)."""
