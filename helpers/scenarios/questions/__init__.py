"""For questions and their answers."""
