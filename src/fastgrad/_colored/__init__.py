"""Sparse derivatives by the colours of their patterns: all entries of x of one colour are moved at once."""
