"""What the referrals add to the demo hospital."""
