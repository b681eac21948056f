"""What this app does when a fact is published."""
