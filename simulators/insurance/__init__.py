"""The insurance: a small HTTP server with the national interface's transactions and field names (outpatient)."""
