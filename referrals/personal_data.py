"""What the referrals hold of a person (O4)."""
