"""May it be done, and what does a rule mean: pure, no query and no clock."""
