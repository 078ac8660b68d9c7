"""What the bug in a wrong claim probably is."""
