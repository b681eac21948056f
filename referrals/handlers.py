"""What this app does when a fact is published. Each runs once with effect, in the order of its key."""
