"""Stencils: their table, which entry takes which, their error bars, and the other side of x."""
