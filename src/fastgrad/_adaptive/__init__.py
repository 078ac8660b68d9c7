"""The adaptive method: extrapolation along a line, and along each axis of an array."""
