"""For videos and the objects in them."""
