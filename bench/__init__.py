"""The measured figures of the booking core, one file each; `make bench` runs them all and fails nothing."""
