"""Addresses by part; exams.urls joins them."""
