"""What the public may see of departments, doctors and numbers."""
