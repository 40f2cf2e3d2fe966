"""For the benchmark."""
