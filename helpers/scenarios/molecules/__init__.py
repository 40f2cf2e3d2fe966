"""For molecules."""
