"""Files that people bring: told by their bytes, cleaned, kept outside the web root, let go as a download."""
