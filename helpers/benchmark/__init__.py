"""The measurements of notebook 12: the same vectors and queries for every index and engine."""
