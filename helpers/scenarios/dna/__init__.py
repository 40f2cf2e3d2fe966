"""For genes."""
