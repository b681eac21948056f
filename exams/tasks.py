"""Jobs of the exams. Each finds its own work by query: running it late, twice or after a gap does no harm."""
