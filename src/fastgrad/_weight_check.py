"""The gradient of a loss by the weights of a linear map, judged without any step: a product against a product."""

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._layer_arrays import outer_pair
from fastgrad._outcome import Outcome, Verdict
from fastgrad._reading import entry_name
from fastgrad._report import serial as _serial
from fastgrad._report import text as _render
from fastgrad._result import Entries, Entry
from fastgrad._seeds import seed_from
from fastgrad._typing import Array, Float64Array
from fastgrad._worst import errors, place_of_worst

#: Columns that share one random combination: a single error is then seen beside the rounding of so many entries only,
#: at a 32nd of the cost of the whole product.
TILE = 32
#: Two combinations, for errors of one tile that nearly cancel in the first.
PROBES = 2
_UNIT = {"d": 2.0**-53, "f": 2.0**-24}
_LEAST = {"d": 2.0**-1074, "f": 2.0**-149}
#: What the bounds are raised by, for they are rounded themselves.
_SLACK = 1.0 + 2.0**-20


@dataclass(frozen=True, eq=False, repr=False)
class WeightGradientCheck(Outcome):
    """The outcome of `weight_gradient_check`; true when it passed, and it unpacks as ``passed, max_error``.

    Attributes
    ----------
    verdict : {"passed", "failed", "inconclusive"}
        Inconclusive: a combination of entries is beyond its rounding, and no entry by itself is; or numbers so large,
        or sums so long, that rounding has no bound.
    max_error : float
        The largest difference among the entries found wrong; where there are none, the resolution.
    max_error_is_bound : bool
        Whether `max_error` is the resolution.
    resolution : float
        A single wrong entry is seen for certain if it is off by more than this, or by less, where the entries beside it
        are small.
    worst : Entry or None
        The entry that is off by most.
    wrong : Entries
        All wrong entries of the rows in which there are any, each against its own sum of products.
    rows, columns : ndarray of intp
        Those that hold wrong entries.
    shape : tuple of int
        Of the gradient.
    products : int
        Matrix products formed. No difference was taken, and nothing called.
    seed : int
        What replays the check, as ``rng=seed``.
    """

    verdict: Verdict
    max_error: float
    max_error_is_bound: bool
    resolution: float
    worst: Entry | None
    wrong: Entries
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    shape: tuple[int, int]
    products: int
    seed: int
    calls: int = 0

    def __str__(self) -> str:
        m, n = self.shape
        found = {
            "passed": f"{m * n} entries, a single error beyond {self.resolution:.3g} would have been seen",
            "failed": f"{len(self.wrong)} of {m * n} entries wrong beyond rounding, "
            f"in {self.rows.size} of {m} rows and {self.columns.size} of {n} columns",
            "inconclusive": f"nothing is wrong for certain, at a resolution of {self.resolution:.3g}",
        }[self.verdict]
        table = _render.table_of(self.wrong, self.name) if len(self.wrong) else []
        how = f"measured by {self.products} matrix products, no calls, rng={self.seed}"
        headline = wrap(f"weight gradient check {self.verdict}: {found}", _render.COLUMNS, subsequent_indent="  ")
        return "\n".join([*headline, *table, f"  {how}"])

    def name(self, i: int) -> str:
        """Return the name of the entry with flat index i, as ``W[3, 17]``."""
        return entry_name(i, self.shape, "W")

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, strings, lists and dictionaries, as JSON takes them but for NaN."""
        return {"passed": self.passed, **_serial.plain(self)}


def weight_gradient_check(
    grad_output: ArrayLike, x: ArrayLike, claimed: ArrayLike, *, rng: Any = None
) -> WeightGradientCheck:
    """Check a claimed dL/dW of y = Wx, given dL/dy and x, by random combinations of its columns.

    For a random r the products ``claimed @ r`` and ``grad_output.T @ (x @ r)`` agree to rounding if the claim is right.
    That takes no call, no step and no tolerance, and for a large batch a fraction of the time of the gradient itself.
    Rows that disagree are then formed in full, and their wrong entries named.

    Parameters
    ----------
    grad_output : array_like, shape (m,) or (B, m)
        The gradient of the loss by y; the rows of a batch are samples, over which the gradient sums.
    x : array_like, shape (n,) or (B, n)
        What the layer was given.
    claimed : array_like, shape (m, n)
        The gradient to be judged. If it or an argument is float32, it may carry the rounding of single precision.
    rng : int or numpy.random.Generator, optional
        Where the combinations come from. None draws a fresh seed, which the result reports.

    Returns
    -------
    WeightGradientCheck
        True when passed; unpacks as ``passed, max_error``. NaN and infinity never pass.

    Raises
    ------
    ShapeError
        If the shapes do not fit each other.
    TypeError
        If an argument is complex, of half or extended precision, masked or not numeric.

    Notes
    -----
    The test is that of R. Freivalds, "Fast probabilistic algorithms", Mathematical Foundations of Computer Science
    (1979), with combinations of 32 columns at a time. A sum of B products is off by at most γ_B = Bu/(1 − Bu) times the
    sum of their magnitudes, in whatever order it is formed (N. J. Higham, Accuracy and Stability of Numerical
    Algorithms, 2nd ed., section 3.1): so much, and two roundings for a factor, is allowed to the claim, with its own
    unit u, and what it takes to form both sides in double precision. That is a bound and no estimate: a right claim
    cannot fail. With magnitudes of at least ½ in r, a single error of four times the bound of its tile cannot hide.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> rng = np.random.default_rng(0)
    >>> grad_output, x = rng.standard_normal((8, 5)), rng.standard_normal((8, 7))
    >>> claimed = grad_output.T @ x
    >>> fg.weight_gradient_check(grad_output, x, claimed).passed
    True
    >>> claimed[3, 4] *= 1 + 1e-9
    >>> fg.weight_gradient_check(grad_output, x, claimed).worst.name
    'W[3, 4]'
    """
    given = [real_array(grad_output, "grad_output"), real_array(x, "x"), real_array(claimed, "claimed")]
    precision = "f" if any(a.dtype.char == "f" for a in given) else "d"
    g, columns = outer_pair(*given[:2])
    shape = (g.shape[-1], columns.shape[-1])
    if given[2].shape != shape:
        raise ShapeError(f"claimed has shape {given[2].shape}; the gradient of these arguments has shape {shape}.")
    seed = seed_from(rng)
    with np.errstate(all="ignore"):
        case = _Case(np.atleast_2d(g), np.atleast_2d(columns), given[2], precision)
        suspects, resolution = case.suspects(np.random.default_rng(seed))
        wrong = case.wrong(suspects)
    return _conclude(shape, suspects, resolution, wrong, seed)


class _Case:
    """Both factors and the claim, in double precision, and how far a right claim may be off."""

    def __init__(self, g: Array, x: Array, claimed: Array, precision: str) -> None:
        self.g, self.x, self.claimed = (a.astype(np.float64, copy=False) for a in (g, x, claimed))
        self._batch = len(g)
        self._allowed = _gamma(self._batch + 2, _UNIT[precision])
        self._least = self._batch * _LEAST[precision]

    def suspects(self, draw: np.random.Generator) -> tuple[NDArray[np.intp], float]:
        """Return the rows that disagree in some combination of a tile of columns, and the resolution."""
        n = self.x.shape[1]
        # no entry of r is larger than 1, and a right claim no larger than its terms, but for rounding
        terms = np.abs(self.g).T @ _tiles(np.abs(self.x), np.ones(n))
        ours = 2.0 * _gamma(TILE + self._batch + 2, _UNIT["d"])
        bound = _SLACK * (1.0 + self._allowed) * (self._allowed + ours) * terms + 2 * TILE * self._least
        resolution = float(np.max(4.0 * bound, initial=0.0))
        is_suspect = np.zeros(len(self.claimed), bool)
        for _ in range(PROBES):
            r = draw.choice([-1.0, 1.0], n) * draw.uniform(0.5, 1.0, n)
            off = _tiles(self.claimed, r) - self.g.T @ _tiles(self.x, r)
            is_suspect |= (~(np.abs(off) <= bound) | np.isinf(off)).any(axis=1)
        return np.flatnonzero(is_suspect), resolution

    def wrong(self, rows: NDArray[np.intp]) -> Entries:
        """Return the entries of some rows that are off by more than rounding."""
        g, claimed = self.g[:, rows], self.claimed[rows]
        exact = g.T @ self.x
        ours = _gamma(self._batch + 2, _UNIT["d"])
        bound = _SLACK * (self._allowed + ours) * (np.abs(g).T @ np.abs(self.x)) + 2 * self._least
        error = np.abs(claimed - exact)
        at = np.nonzero(~(error <= bound) | np.isinf(error))
        flat = rows[at[0]] * self.x.shape[1] + at[1]
        return Entries(flat.astype(np.intp), claimed[at], exact[at], bound[at])


def _tiles(a: Float64Array, r: Float64Array) -> Float64Array:
    """Return the combinations of the columns of a by r, tile by tile."""
    count, rest = divmod(r.size, TILE)
    whole = r.size - rest
    tiles = np.einsum("itj,tj->it", a[:, :whole].reshape(len(a), count, TILE), r[:whole].reshape(count, TILE))
    return np.column_stack([tiles, a[:, whole:] @ r[whole:]]) if rest else tiles


def _conclude(
    shape: tuple[int, int], suspects: NDArray[np.intp], resolution: float, wrong: Entries, seed: int
) -> WeightGradientCheck:
    worst, max_error = None, resolution
    rows, columns = np.divmod(wrong.indices, max(shape[1], 1))
    if len(wrong):
        error = errors(wrong.claimed, wrong.measured)
        k = place_of_worst(error)
        max_error, index = float(error[k]), (int(rows[k]), int(columns[k]))
        values: list[Float64Array] = [wrong.claimed, wrong.measured, wrong.error_bound]
        worst = Entry(entry_name(int(wrong.indices[k]), shape, "W"), index, *(float(v[k]) for v in values))
    is_clean = suspects.size == 0 and np.isfinite(resolution)
    return WeightGradientCheck(
        verdict="failed" if len(wrong) else "passed" if is_clean else "inconclusive",
        max_error=max_error,
        max_error_is_bound=not len(wrong),
        resolution=resolution,
        worst=worst,
        wrong=wrong,
        rows=np.unique(rows),
        columns=np.unique(columns),
        shape=shape,
        products=3 * PROBES + (3 if suspects.size else 1),
        seed=seed,
    )


def _gamma(k: int, unit: float) -> float:
    """Return γ_k = ku/(1 − ku), by which a sum of k products may be off, relative to that of their magnitudes."""
    return k * unit / (1.0 - k * unit) if k * unit < 1.0 else float("inf")
