"""A doctor's own pages."""
