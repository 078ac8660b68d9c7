"""What `import fastgrad` takes beyond `import numpy`, and what a first call takes beyond both, in whole processes."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from statistics import median

from bench._harness import Effort, Ratio, Timings, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_most

TITLE = "Import, whole processes"
#: What the processes run. Most of the package is loaded when it is first asked for, which a first call tells.
CODES = {
    "sys": "import sys",
    "numpy": "import numpy",
    "fastgrad": "import fastgrad",
    "first": "import fastgrad; fastgrad.numerical_gradient(sum, [1.0, 2.0])",
}


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield both rows; nothing physical limits them but the interpreter's start."""
    del limits
    longer = Effort(10 * effort.seconds, effort.quick)
    times = interleave({name: partial(_run, code) for name, code in CODES.items()}, longer)
    notes = ["difference of minima; in brackets the median difference"]
    figures = [
        Figure("beyond `import numpy`", _milliseconds(times, "fastgrad", "numpy"), at_most(10), " ms"),
        Figure("/ `import numpy`", times.ratio("fastgrad", "numpy")),
        Figure("/ a bare interpreter", times.ratio("fastgrad", "sys")),
    ]
    yield Row("`import fastgrad`", times.best("fastgrad"), figures, notes)
    beyond = Figure("beyond `import numpy`", _milliseconds(times, "first", "numpy"), None, " ms")
    yield Row("`import fastgrad` and a first gradient", times.best("first"), [beyond], notes)


def _milliseconds(times: Timings, ours: str, theirs: str) -> Ratio:
    beyond = [a - b for a, b in zip(times.seconds[ours], times.seconds[theirs], strict=True)]
    return Ratio(1e3 * (times.best(ours) - times.best(theirs)), 1e3 * median(beyond))


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
