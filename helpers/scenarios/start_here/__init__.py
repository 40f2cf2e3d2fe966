"""For the first tour."""
