"""Figures of referrals, counted from their rows (R7)."""
