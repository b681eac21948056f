"""财政电子票据平台: a small HTTP server that numbers receipts, writes them off, and remembers every request."""
