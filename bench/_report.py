"""The rows of the installed benchmark, which the families of this one are told by too."""

from fastgrad._bench.rows import Figure, Floor, Row, at_least, at_most

__all__ = ["Figure", "Floor", "Row", "at_least", "at_most"]
