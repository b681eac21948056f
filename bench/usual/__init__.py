"""Booking as it is usually written: a ModelViewSet, serializers and the ORM. What the hot endpoint is measured against.

It passes the same acceptance tests (tests/bench), on the same tables, indexes and constraints, behind the same
middleware and token table, and returns the same body.
"""
