"""Sparsity: which entries of a Jacobian or Hessian there are, and what can be measured at once because of it.

A `Pattern` says which entries may be other than zero; `as_pattern`, `banded` and `block_diagonal` make one, and
`detect` asks f itself. `color` finds columns, rows or both that one difference can measure together, as a `Coloring`,
which can be kept and used for every Jacobian of that pattern. `verify` looks for entries that a pattern forgot.
"""

from fastgrad.sparsity._color import color
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._detection import Detection, detect
from fastgrad.sparsity._makers import as_pattern, banded, block_diagonal
from fastgrad.sparsity._pattern import Pattern
from fastgrad.sparsity._verification import Verification, verify

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
