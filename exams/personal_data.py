"""What this app holds of a person, for the copy that people may ask for, and what they still have coming (O4)."""
