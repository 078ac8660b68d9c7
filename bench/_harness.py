"""The harness of the installed benchmark, which the families of this one are timed by too."""

from fastgrad._bench.timing import Effort, Ratio, Timings, interleave

__all__ = ["Effort", "Ratio", "Timings", "interleave"]
