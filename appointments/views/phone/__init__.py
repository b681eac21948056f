"""代约: who books for a person that calls (phone desk), is discharged (ward) or was sent (lower institutions)."""
