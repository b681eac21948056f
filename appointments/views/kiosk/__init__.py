"""自助机: a machine in the hall, signed in as itself; patients come and go, and nobody sees the one before."""
