"""The check of a layer's backward, by name."""
