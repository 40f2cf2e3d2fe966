"""For sounds."""
