"""What `import fastgrad` takes beyond `import numpy`, in whole processes."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from statistics import median

from bench._harness import Effort, Ratio, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_most

TITLE = "Import, whole processes"


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield the one row; nothing physical limits it but the interpreter's start."""
    del limits
    longer = Effort(10 * effort.seconds, effort.quick)
    times = interleave({name: partial(_run, name) for name in ("sys", "numpy", "fastgrad")}, longer)
    beyond = [a - b for a, b in zip(times.seconds["fastgrad"], times.seconds["numpy"], strict=True)]
    milliseconds = Ratio(1e3 * (times.best("fastgrad") - times.best("numpy")), 1e3 * median(beyond))
    yield Row(
        "`import fastgrad`",
        times.best("fastgrad"),
        [
            Figure("beyond `import numpy`", milliseconds, at_most(10), " ms"),
            Figure("/ `import numpy`", times.ratio("fastgrad", "numpy")),
            Figure("/ a bare interpreter", times.ratio("fastgrad", "sys")),
        ],
        ["difference of minima; in brackets the median difference"],
    )


def _run(name: str) -> None:
    subprocess.run([sys.executable, "-I", "-c", f"import {name}"], check=True)
