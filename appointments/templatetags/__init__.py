"""Tags of the heart."""
