"""The slot-pool office: one module a page."""
