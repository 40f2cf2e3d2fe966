"""For films."""
