"""A check that did not pass, kept in a small file: where it was, what it was drawn from, and what it found wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

from fastgrad._errors import ShapeError
from fastgrad._point import as_point
from fastgrad._result import GradientCheck
from fastgrad._typing import Array, IndexArray
from fastgrad._worst import errors, worst_first

#: How many of the wrong entries are kept, the worst first.
KEPT = 100
VERSION = 1


@dataclass(frozen=True)
class Replay:
    """What is needed to look at a failure again.

    Attributes
    ----------
    line : ndarray
        All entries of x, in one line.
    entries : ndarray of intp
        Flat indices of wrong or unresolved entries, the worst first; none where none could be named.
    seed : int or None
        What the check drew its directions from.
    test, call, test_seed : str, int and int
        Which test it was, which of its checks (from 0), and the seed of the test's own generator.
    """

    line: Array
    entries: IndexArray
    seed: int | None
    test: str = ""
    call: int = 0
    test_seed: int = 0

    @classmethod
    def of(cls, check: GradientCheck, x: Any, test: str = "", call: int = 0, test_seed: int = 0) -> Self:
        """Return what is to be kept of a check at x."""
        return cls(as_point(x).array.reshape(-1), _worst_first(check), check.seed, test, call, test_seed)

    def save(self, path: Path) -> None:
        """Write it into an .npz file."""
        seeds = [] if self.seed is None else [str(self.seed)]  # in words: it need not fit 64 bits
        with path.open("wb") as file:
            np.savez(
                file,
                version=VERSION,
                line=self.line,
                entries=self.entries,
                seed=np.array(seeds, dtype=np.str_),
                test=self.test,
                call=self.call,
                test_seed=str(self.test_seed),
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read such a file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        ValueError
            If it is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                kept = {name: file[name] for name in file.files}
            version = int(kept["version"])
        except (KeyError, EOFError, ValueError, BadZipFile, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is no replay file of a gradient check.") from error
        if version != VERSION:
            raise ValueError(f"{path} is a replay file of version {version}, not {VERSION}.")
        seeds = [int(seed) for seed in kept["seed"]]
        return cls(
            kept["line"],
            kept["entries"],
            seeds[0] if seeds else None,
            str(kept["test"]),
            int(kept["call"]),
            int(kept["test_seed"]),
        )

    def at(self, x: Any) -> Any:
        """Return the point that was kept, in the form of x.

        Raises
        ------
        ShapeError
            If x has not as many entries.
        """
        point = as_point(x)
        if point.array.size != self.line.size:
            raise ShapeError(
                f"the replay file holds {self.line.size} entries, and x has {point.array.size}: "
                "the test has changed since it was written."
            )
        array = self.line.astype(point.array.dtype).reshape(point.array.shape)
        return point.shown(array)

    def is_at(self, x: Any) -> bool:
        """Tell whether x is the point that was kept, bit for bit."""
        return as_point(x).array.tobytes() == self.line.tobytes()


def _worst_first(check: GradientCheck) -> IndexArray:
    found = check.wrong if len(check.wrong) else check.unresolved
    order = worst_first(errors(found.claimed, found.measured))
    return np.asarray(found.indices[order[:KEPT]], dtype=np.intp)
