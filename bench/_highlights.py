"""The rows that README shows: those that tell most, of all families."""

from typing import NamedTuple

from fastgrad._bench.record import Record
from fastgrad._bench.rows import Figure, Row


class Highlight(NamedTuple):
    """A row of a family, the figure of it that is shown, and what that is called where no table stands around it."""

    family: str
    work: str
    figure: str
    name: str


class Shown(NamedTuple):
    """A highlight as it was measured."""

    name: str
    row: Row
    figure: Figure


_DOT = "gradient of `np.dot(a, x)`, n = 100"
_LAYER = "dL/dW of y = Wx + b, L = Σy, forward included, `out=`"
_CHECK = "its whole `gradient_check`, forward and backward included"
_MILLION = "a million weights of a linear layer, measured"
_TORCH = "256×256: torch's slow mode over the measured gradient, and over the whole check"

HIGHLIGHTS = (
    Highlight("opaque", "`np.dot(a, x)`, n = 100", "over bare calls", f"{_DOT}, over 2n bare calls of it"),
    Highlight("opaque", "`np.dot(a, x)`, n = 100", "reference / fastgrad", f"the plain loop over that {_DOT}"),
    *(
        Highlight("peers", "`np.dot(a, x)`, n = 100", f"{peer} / fastgrad", f"{peer} over fastgrad, {_DOT}")
        for peer in ("SciPy 3-point", "statsmodels", "numdifftools", "jacobi")
    ),
    Highlight(
        "stacks", "`np.dot(a, x)`, n = 100", "over bare calls at one point", f"{_DOT}, by stacks, over 2n bare calls"
    ),
    Highlight("native", "Rosenbrock, n = 1000", "verb over C", "Rosenbrock in machine code over a loop in C, n = 1000"),
    Highlight("layers", _LAYER, "/ fresh np.outer", f"{_MILLION}, over one `np.outer`"),
    Highlight("layers", _LAYER, "double loop / fastgrad", "the textbook's double loop over that"),
    Highlight("layers", _CHECK, "/ fresh np.outer", "a whole check of them, backward included, over one `np.outer`"),
    Highlight("torch", _TORCH, "torch / check", "torch's `gradcheck`, slow mode, over a whole check, 256×256"),
    Highlight("outer", "n = 1024, `out=`", "NumPy / fastgrad", "`np.outer` over `weight_gradient`, 1024×1024"),
    Highlight(
        "least_squares", "100×5, 500 steps, mean", "textbook / fastgrad", "the textbook's descent over ours, 100×5"
    ),
    Highlight(
        "least_squares", "100000×50, 100 steps, mean", "textbook / fastgrad", "the same, 100000×50, tall and thin"
    ),
    Highlight("jacobian", "tridiagonal, n = 1000000", "SciPy / fastgrad", "SciPy over a tridiagonal Jacobian, n = 10⁶"),
    Highlight("import", "`import fastgrad`", "/ `import numpy`", "`import fastgrad` over `import numpy`"),
)


def shown(record: Record) -> tuple[list[Shown], list[Highlight]]:
    """Return the highlights that a record has, and those that it lacks."""
    found, lacking = [], []
    for highlight in HIGHLIGHTS:
        one = _find(record, highlight)
        if one is None:
            lacking.append(highlight)
        else:
            found.append(one)
    return found, lacking


def _find(record: Record, highlight: Highlight) -> Shown | None:
    family = record.families.get(highlight.family)
    for row in family.rows if family else ():
        for figure in row.figures:
            if (row.work, figure.name) == (highlight.work, highlight.figure):
                return Shown(highlight.name, row, figure)
    return None
