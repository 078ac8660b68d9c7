"""Losses that know how a single weight moves them: callables with a compiled difference loop of their own.

Called, each is the honest loss of the whole forward computation. Differentiated, it forms only the terms that move when
one weight does, at plus and minus the step, and subtracts them: still a finite difference of the forward value, from
which no derivative was taken, but a constant number of operations an entry. Whatever is measured so uses structure.
"""

from fastgrad._losses.linear import LinearLoss
from fastgrad._losses.named import CrossEntropy, SquaredError
from fastgrad._losses.two_layer import TwoLayerLoss

__all__ = ["CrossEntropy", "LinearLoss", "SquaredError", "TwoLayerLoss"]
