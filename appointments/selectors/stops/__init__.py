"""停诊与替诊: what a stop covers, whom it touches, who could step in, how far it is."""
