"""What a check found: plain frozen data. How it was computed is not known here."""

from dataclasses import dataclass
from os import PathLike
from typing import Any

from fastgrad._outcome import Outcome, Verdict
from fastgrad._report import picture as _picture
from fastgrad._report import serial as _serial
from fastgrad._report import text as _render
from fastgrad._report.pictured import ErrorMap, Sweep
from fastgrad._tree import Leaf, named
from fastgrad._typing import Float64Array, IndexArray


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient: where it is, what was claimed and what was measured.

    Attributes
    ----------
    name : str
        As ``x[3, 17]``, or ``x["W1"][3, 17]`` in a tree.
    index : tuple of int
        The same as an index into x; in a tree, into the leaf that the name speaks of.
    claimed, measured : float
        The two values.
    error_bound : float
        How far the measured value may be from the truth, where it was asked for; NaN where the first measurement
        already agreed within the tolerance.
    """

    name: str
    index: tuple[int, ...]
    claimed: float
    measured: float
    error_bound: float

    @property
    def error(self) -> float:
        """The absolute difference."""
        return abs(self.claimed - self.measured)

    @property
    def relative_error(self) -> float:
        """The difference over the larger of the two magnitudes; 0 where both are 0."""
        size = max(abs(self.claimed), abs(self.measured))
        return self.error / size if size else self.error


@dataclass(frozen=True, eq=False)
class Entries:
    """Several entries, as parallel arrays of one length.

    Attributes
    ----------
    indices : ndarray of intp
        Flat, in C order of x.
    claimed, measured, error_bound : ndarray of float64
        As in `Entry`.
    """

    indices: IndexArray
    claimed: Float64Array
    measured: Float64Array
    error_bound: Float64Array

    def __len__(self) -> int:
        return self.indices.size


@dataclass(frozen=True, eq=False)
class Kinks:
    """Entries at which f has a kink: a claim anywhere between the one-sided slopes is right.

    Attributes
    ----------
    indices : ndarray of intp
        Flat, in C order of x.
    left, right : ndarray of float64
        The slopes below and above the entry. Where several samples of a batch have a kink there and the claim is not
        between them: the least and the largest that a slope in between for each sample gives.
    """

    indices: IndexArray
    left: Float64Array
    right: Float64Array

    def __len__(self) -> int:
        return self.indices.size


@dataclass(frozen=True, eq=False, repr=False)
class GradientCheck(Outcome):
    """The outcome of a gradient check; true when it passed, and it unpacks as ``passed, max_error``.

    Attributes
    ----------
    verdict : {"passed", "failed", "inconclusive"}
        Inconclusive: the tolerance is finer than what the steps and the noise of f can resolve.
    max_error : float
        The largest absolute difference among the entries; at a kink, the distance to the interval of slopes.
    max_relative_error : float
        The largest relative difference of the first measurement.
    worst : Entry or None
        The entry with the largest error; None where nothing was compared.
    wrong, unresolved : Entries
        Entries beyond tolerance and error bound; entries beyond tolerance whose error bound is larger still.
    kinks : Kinks
        Entries found to lie at a kink.
    atol, rtol : float
        The tolerance: an entry may differ by ``atol + rtol * max(abs(claimed), abs(measured))``.
    eps : str
        The step, in words.
    shape : tuple of int
        Of x; that of the line of all entries, ``(n,)``, where x is a tree.
    leaves : tuple of Leaf
        What x is made of: path, shape, and where it starts in the line of all entries. One leaf, where x is an array.
    compared, calls : int
        Entries compared, and calls of f (for a structured callable: the evaluations that it reports, and the calls of
        its plain forward).
    redone : int
        Entries that a structured callable measured again with a smaller step, because a kink lay within the first.
    mode : str
        ``"full"``: each entry was measured; ``"search"``: random projections of all of them, and those that these
        pointed at; ``"sample"``: a random choice; ``"sparse"``: each entry of a pattern, a colour at a time, and dense
        directions told of others.
    structured : bool
        Whether f's own difference loop was used.
    max_error_is_bound : bool
        Whether `max_error` is a bound on what was not measured, rather than a difference that was.
    reasons : tuple of str
        Sentences that say why the verdict is not plain.
    what : str
        What was checked: ``"gradient"``, ``"Jacobian"`` or ``"Hessian"``.
    resolution : float
        The smallest error of a single entry that this check was sure to see and to call wrong, in whichever of the
        entries covered it is.
    resolution_norm : float
        The smallest norm of all errors, over the norm of the claim, that it was sure to see.
    noise : float
        The standard deviation of f's noise at x; NaN where it did not have to be measured.
    seed : int or None
        What the random directions or the sample were drawn from: ``rng=seed`` replays the check. None: nothing was.
    error_norm : tuple of float, or None
        Where more entries are wrong than could be named: the norm of all errors, as an interval of confidence 95 %.
    coverage : float
        The share of the entries asked for that was measured, one by one or in projections.
    wrong_share : tuple of float, or None
        Where a random sample was measured: the share of wrong entries in all, as an interval of confidence 95 %.
    diagnosis : str
        What the bug probably is, with what supports that; empty where nothing fits.
    errors : ErrorMap or None
        The largest errors of the worst leaf in blocks of rows and columns: of a check that did not pass, or was small.
    sweep : Sweep or None
        The slopes of the worst entry over all steps that it was measured with, where it was measured again.
    """

    verdict: Verdict
    max_error: float
    max_relative_error: float
    worst: Entry | None
    wrong: Entries
    unresolved: Entries
    kinks: Kinks
    atol: float
    rtol: float
    eps: str
    shape: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    compared: int
    calls: int
    redone: int = 0
    mode: str = "full"
    structured: bool = False
    max_error_is_bound: bool = False
    reasons: tuple[str, ...] = ()
    what: str = "gradient"
    resolution: float = float("nan")
    resolution_norm: float = float("nan")
    noise: float = float("nan")
    seed: int | None = None
    error_norm: tuple[float, float] | None = None
    coverage: float = 1.0
    wrong_share: tuple[float, float] | None = None
    diagnosis: str = ""
    errors: ErrorMap | None = None
    sweep: Sweep | None = None

    def __str__(self) -> str:
        return _render.text(self)

    def name(self, i: int) -> str:
        """Return the name of the entry with flat index i, as ``x[3, 17]``."""
        return named(i, self.leaves)

    def _repr_html_(self) -> str:
        from fastgrad._report.html import fragment  # loaded when needed: most results are printed as text

        return fragment(self)

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write the report as one HTML file that needs nothing else: verdict, table, error map and step sweep."""
        from fastgrad._report.html import page

        with open(path, "w", encoding="utf-8") as file:
            file.write(page(self))

    def plot(self, ax: Any = None) -> Any:
        """Draw the error map into matplotlib axes, or into new ones, and return them.

        Raises
        ------
        ValueError
            If the result holds no error map: a large check that passed.
        ImportError
            If new axes are wanted and matplotlib, extra ``plot``, is missing.
        """
        return _picture.draw(self.errors, f"{self.what} check {self.verdict}", ax)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, strings, lists and dictionaries, as JSON takes them but for NaN."""
        return {"passed": self.passed, **_serial.plain(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "GradientCheck":
        """Return the result that `to_dict` made this dictionary of, or `to_json` the JSON that it was read from.

        Raises
        ------
        ValueError
            If it is no complete result.
        """
        return _serial.restored(cls, data)

    def to_json(self, path: str | PathLike[str] | None = None, *, indent: int | None = None) -> str:
        """Return the result as JSON, and write it to a file where a path is given.

        NaN and infinite numbers, which JSON has not, are the strings "nan", "inf" and "-inf".
        """
        text = _serial.to_json(self.to_dict(), indent)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return text
