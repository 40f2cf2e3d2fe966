"""For FiftyOne."""
