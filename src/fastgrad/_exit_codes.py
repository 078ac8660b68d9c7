"""What the commands return to the shell."""

#: A claim held, or what was asked for is done; a claim does not hold; nobody could tell; what was asked for cannot be
#: done, as where a package of an extra is missing.
FINE, MISMATCH, INCONCLUSIVE, CANNOT = 0, 1, 2, 3
