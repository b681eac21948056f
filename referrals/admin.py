"""Referrals in the administration: to look at."""
