"""What happens to a referral by the clock."""
