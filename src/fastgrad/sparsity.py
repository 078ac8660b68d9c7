"""Sparsity: which entries of a Jacobian or Hessian there are, and what can be measured at once because of it.

A `Pattern` says which entries may be other than zero; `as_pattern`, `banded` and `block_diagonal` make one, and
`detect` asks f itself. `color` finds columns, rows or both that one difference can measure together, as a `Coloring`,
which can be kept and used for every Jacobian of that pattern. `verify` looks for entries that a pattern forgot.
"""

from fastgrad._color import color
from fastgrad._coloring import Coloring
from fastgrad._detection import Detection, detect
from fastgrad._pattern import Pattern
from fastgrad._pattern_check import Verification, verify
from fastgrad._pattern_makers import as_pattern, banded, block_diagonal

__all__ = [
    "Coloring",
    "Detection",
    "Pattern",
    "Verification",
    "as_pattern",
    "banded",
    "block_diagonal",
    "color",
    "detect",
    "verify",
]
