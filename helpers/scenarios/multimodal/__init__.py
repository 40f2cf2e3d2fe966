"""For photos and texts in one space."""
