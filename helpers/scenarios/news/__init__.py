"""For news articles."""
