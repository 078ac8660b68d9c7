"""The harness of the installed benchmark, which the families of this one are timed by too."""

import ctypes
import sys

from fastgrad._bench.timing import Effort, Ratio, Timings, interleave

__all__ = ["Effort", "Ratio", "Timings", "interleave", "keep_memory"]

#: Numbers of mallopt's parameters (malloc.h of the GNU C library): bytes of free memory from which the process gives
#: some back, and bytes of a block that is asked for by itself and given back at once.
_TRIM_FROM, _BY_ITSELF_FROM = -1, -3


def keep_memory() -> None:
    """Have freed memory stay with the process, where its allocator can be told.

    Otherwise what a contender frees is given back or not by what ran before it, and getting it again, page by page,
    takes as long as much of what is to be measured.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_BY_ITSELF_FROM, 32 << 20)
        mallopt(_TRIM_FROM, 1 << 30)
