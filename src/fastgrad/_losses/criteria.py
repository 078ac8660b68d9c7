"""How the losses of a layer's outputs are evaluated, and how they move along lines when the outputs do."""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from fastgrad import _backend
from fastgrad._typing import Array, Float64Array


def held(a: ArrayLike, dtype: Any) -> Array:
    """Return a private, contiguous, read-only copy."""
    copy: Array = np.array(a, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


_NOTHING = held(np.zeros((0, 0)), np.float64)


class Directions(NamedTuple):
    """How the outputs move with each of several units: a column a unit, and what is needed of it at every call."""

    columns: Float64Array
    """Shape (m, units)."""
    weights: Float64Array
    """⟨v, column⟩ of each sample and unit for weights v of the outputs, else empty."""
    squares: Float64Array
    """‖column‖² of each unit."""
    rows: Float64Array
    """The columns as contiguous rows where a criterion walks along them, else empty."""
    largest: Float64Array
    """The largest entry, by size, of each unit's column."""


class Lines(NamedTuple):
    """The leading arguments of the kernel: where units stand, and the loss along each."""

    z: Float64Array
    origin: Float64Array
    c: Float64Array
    q: Float64Array
    tau: Float64Array
    logp: Float64Array
    p: Float64Array
    w: Float64Array
    wmax: Float64Array

    def sample(self, b: int) -> "Lines":
        """Return the lines of one sample alone."""
        one = slice(b, b + 1)
        return self._replace(
            z=self.z[one], origin=self.origin[one], c=self.c[one], tau=self.tau[one], logp=self.logp[one], p=self.p[one]
        )


class Terms(NamedTuple):
    """A loss of one sample that is a polynomial of each output by itself: Σ (y + shift)·(c + (y + shift)·q)."""

    shift: Float64Array
    c: Float64Array
    q: Float64Array

    def between(self, first: int, last: int) -> "Terms":
        """Return the terms of some outputs alone."""
        return Terms(*(a[first:last] for a in self))


class Criterion(Protocol):
    """A loss of outputs of one known shape. Outputs y are doubles of shape (n_samples, m)."""

    terms: Terms | None
    """The loss term by term, where it is so simple and there is one sample."""
    linear: bool
    """Whether `along` is the same wherever the outputs are, and does not look at y."""

    def value(self, y: Float64Array) -> float:
        """Return the loss."""

    def directions(self, columns: Float64Array) -> Directions:
        """Return what `along` needs to know of the directions, computed once."""

    def own(self, y: Float64Array) -> Lines:
        """Return the loss as each output itself moves."""

    def along(self, y: Float64Array | None, z: Float64Array, origin: Float64Array, directions: Directions) -> Lines:
        """Return the loss as units at z move the outputs y along their directions.

        Without y, the outputs are what the units' values, `origin`, make of the directions.
        """

    def change(self, y: Float64Array, b: int, plus: Float64Array, minus: Float64Array) -> Float64Array:
        """Return what the loss of sample b gains between y + minus and y + plus, for columns of moves (m, k)."""


def _polynomial(z: Float64Array, origin: Float64Array, c: Float64Array, q: Float64Array) -> Lines:
    none = np.zeros((len(z), 0))
    return Lines(z, origin, c, q, np.zeros(len(z)), none, none, np.zeros((1, 0)), np.ones(z.shape[1]))


class Weighted:
    """Σ v·y."""

    linear = True

    def __init__(self, v: Float64Array) -> None:
        self._v = v
        zeros = np.zeros(v.shape[1])
        self.terms = Terms(zeros, v[0], zeros) if len(v) == 1 else None

    def value(self, y: Float64Array) -> float:
        return float(np.vdot(self._v, y))

    def directions(self, columns: Float64Array) -> Directions:
        units = columns.shape[1]
        return Directions(columns, self._v @ columns, np.zeros(units), _NOTHING, np.ones(units))

    def own(self, y: Float64Array) -> Lines:
        return _polynomial(y, y, self._v, np.zeros(y.shape[1]))

    def along(self, y: Float64Array | None, z: Float64Array, origin: Float64Array, directions: Directions) -> Lines:
        return _polynomial(z, origin, directions.weights, directions.squares)

    def change(self, y: Float64Array, b: int, plus: Float64Array, minus: Float64Array) -> Float64Array:
        return np.asarray(self._v[b] @ (plus - minus))


class Squared:
    """Σ (y − t)²."""

    linear = False

    def __init__(self, t: Float64Array) -> None:
        self._t = t
        self.terms = Terms(-t[0], np.zeros(t.shape[1]), np.ones(t.shape[1])) if len(t) == 1 else None

    def value(self, y: Float64Array) -> float:
        r = (y - self._t).ravel()
        return float(r @ r)

    def directions(self, columns: Float64Array) -> Directions:
        units = columns.shape[1]
        return Directions(columns, _NOTHING, np.einsum("ki,ki->i", columns, columns), _NOTHING, np.ones(units))

    def own(self, y: Float64Array) -> Lines:
        # Counted from zero, the line is (r ± h·x)²: what the kernel subtracts are the squared residuals themselves.
        r, zeros = y - self._t, np.zeros(y.shape)
        return _polynomial(r, zeros, zeros, np.ones(y.shape[1]))

    def along(self, y: Float64Array | None, z: Float64Array, origin: Float64Array, directions: Directions) -> Lines:
        return _polynomial(z, origin, self._slopes(y, origin, directions.columns), directions.squares)

    def _slopes(self, y: Float64Array | None, origin: Float64Array, columns: Float64Array) -> Float64Array:
        """Return 2⟨r, column⟩ for each sample and unit; of one sample by one reading of the columns."""
        if y is None and len(origin) == 1:
            slopes, work = np.empty_like(origin), np.empty(origin.shape[1])
            units = origin[0].copy()
            _backend.descent.descend(columns, self._t[0], units, slopes[0], work, np.empty(1), 0.0, 1.0, 0.0, -1.0)
            return slopes
        return np.asarray(2.0 * ((_outputs(y, origin, columns) - self._t) @ columns))

    def change(self, y: Float64Array, b: int, plus: Float64Array, minus: Float64Array) -> Float64Array:
        r = (y[b] - self._t[b])[:, None]
        return np.asarray(((plus - minus) * (2.0 * r + (plus + minus))).sum(axis=0))


class Entropy:
    """−Σ t·log softmax(y)."""

    linear = False
    terms: Terms | None = None

    def __init__(self, t: Float64Array) -> None:
        self._t = t
        self._tau = t.sum(axis=1)

    def value(self, y: Float64Array) -> float:
        return float(-np.vdot(self._t, _log_softmax(y)))

    def directions(self, columns: Float64Array) -> Directions:
        by_unit = np.ascontiguousarray(columns.T)
        largest = np.abs(by_unit).max(axis=1, initial=0.0)
        return Directions(columns, _NOTHING, np.zeros(len(by_unit)), by_unit, largest)

    def own(self, y: Float64Array) -> Lines:
        # One score against all others is a softmax of two, of which only the first moves.
        logp = _log_softmax(y)
        pairs = np.stack([logp.ravel(), _log_of_others(logp).ravel()], axis=1)
        m = y.shape[1]
        return Lines(y, y, -self._t, np.zeros(m), self._tau, pairs, np.exp(pairs), np.array([[1.0, 0.0]]), np.ones(m))

    def along(self, y: Float64Array | None, z: Float64Array, origin: Float64Array, directions: Directions) -> Lines:
        logp = _log_softmax(_outputs(y, origin, directions.columns))
        c = -(self._t @ directions.columns)
        p = np.exp(logp)
        return Lines(z, origin, c, directions.squares, self._tau, logp, p, directions.rows, directions.largest)

    def change(self, y: Float64Array, b: int, plus: Float64Array, minus: Float64Array) -> Float64Array:
        logp = _log_softmax(y[b : b + 1])[0]
        gained = self._tau[b] * (_log_gain(logp, plus) - _log_gain(logp, minus))
        return np.asarray(gained - self._t[b] @ (plus - minus))


def _outputs(y: Float64Array | None, units: Float64Array, columns: Float64Array) -> Float64Array:
    return np.asarray(units @ columns.T) if y is None else y


def _log_softmax(y: Float64Array) -> Float64Array:
    shifted = y - y.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _log_of_others(logp: Float64Array) -> Float64Array:
    """Return log Σ_{k≠i} p_k for each i; where p_i is nearly all, by adding up the others."""
    p = np.exp(logp)
    with np.errstate(divide="ignore", invalid="ignore"):
        others = np.log1p(-p)
        for b, i in zip(*np.nonzero(p > 0.5), strict=True):
            rest = np.delete(logp[b], i)
            top = rest.max(initial=-np.inf)
            others[b, i] = top + np.log(np.exp(rest - top).sum()) if rest.size else -np.inf
    return np.asarray(others)


def _log_gain(logp: Float64Array, moves: Float64Array) -> Float64Array:
    """Return log Σ_k p_k exp(move_k) for each column of moves, where Σ p = 1."""
    if np.abs(moves).max(initial=0.0) <= 1.0:
        return np.asarray(np.log1p(np.exp(logp) @ np.expm1(moves)))
    moved = logp[:, None] + moves
    top = moved.max(axis=0)
    return np.asarray(top + np.log(np.exp(moved - top).sum(axis=0)))


def rows(a: Array, columns: bool) -> Array:
    """Return a view of a sample or a batch as a batch whose rows are samples."""
    if a.ndim == 1:
        return a[None, :]
    return a.T if columns else a
