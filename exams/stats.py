"""Device occupancy, segment share, waiting days, trips saved, repeats avoided: counted from rows."""
