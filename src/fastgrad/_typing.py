"""The protocols and type names that the public signatures are written in."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Float64Array = NDArray[np.float64]
IndexArray = NDArray[np.intp]
ScalarFunction = Callable[..., Any]
VectorFunction = Callable[..., Any]
#: Told by a loop how many entries are done; returns how many shall be when it is to be told again.
Pace = Callable[[int], int]
#: Measures from an entry on, up to another, for so many seconds; returns where it ended, or -1 where it cannot go on.
Run = Callable[[int, int, float], int]
#: Measures rows first to last of x into an array of that many rows; returns the number of evaluations made.
RowLoop = Callable[[int, int, Array], int]
#: What some rows of x make by themselves, in the last axis; and the value of f from what all rows make.
Forward = tuple[Callable[[Array], Array], Callable[[Array], float]]
Step = float | ArrayLike | Mapping[Any, Any] | Callable[[Any], Any] | str | None


@runtime_checkable
class StructuredFunction(Protocol):
    """A scalar function that knows how a single entry of x moves its value.

    Any class can implement it; the verbs ask for it by this protocol alone. The methods measure: they form values of f
    at x plus and minus h and subtract them, and call no code that claims a derivative.

    An attribute ``__fastgrad_is_linear__`` that is true says that f is linear in x, or linear but for kinks: a check
    then holds the loop against f with fewer calls. It is taken for a hint, and does no harm where it is wrong.
    """

    def __call__(self, x: Array, /) -> float:
        """Return the honest value of f at x, by the whole forward computation."""

    def __fastgrad_gradient__(self, x: Array, h: Float64Array, out: Array) -> int:
        """Write the central differences of f at x into `out`; return the number of evaluations made.

        `x` and `out` are C-contiguous arrays of one shape and dtype (float32 or float64); `h` holds one positive step,
        or one an entry (shape ``(1,)`` or ``(x.size,)``). Two evaluations an entry are made, and two more for each
        entry that had to be measured again with a smaller step because a kink of f lay within the first.
        """


@runtime_checkable
class RowwiseFunction(StructuredFunction, Protocol):
    """A structured function whose rows, the entries of x with one first index, can be measured apart.

    Who implements this as well has ``workers=2`` share the rows out over threads.
    """

    def __fastgrad_rows__(self, x: Array, h: Float64Array) -> RowLoop | None:
        """Return what measures rows of x, or None where all of x has to be measured at once.

        `x` and `h` are as `StructuredFunction` has them. The result is called as ``rows(first, last, out)``, with a
        C-contiguous `out` of shape ``(last - first, *x.shape[1:])``, for spans of rows in any order and, on several
        workers, by several threads at once: it should give up the interpreter's lock while it measures. The values, to
        the bit, do not depend on how the rows are cut.
        """


@runtime_checkable
class ForwardByRows(RowwiseFunction, Protocol):
    """A rowwise function whose forward goes by rows, too: f(x) is made of what each row makes by itself.

    Who implements this as well has a check of an x above 4 MiB go through the rows once: some are measured by the loop,
    the forward is asked of them and of others beside them, and the claim is compared, all in the cache; nothing of the
    size of x is written. f itself is called once, at x. If its value there is not that of the forward, if the claim is
    beyond tolerance anywhere, or if the loop does not fit the forward, all is measured once more, and kept; but for a
    claim alone, f itself is then asked for all points. A loop may fit only with smaller steps, beside kinks: f itself
    is asked for these, too.
    """

    def __fastgrad_forward__(self) -> Forward | None:
        """Return ``made`` and ``value``: f(x) is ``value(made(x))``. None where x has to be taken as a whole.

        ``made(rows)``, of some rows of any x, which it cannot write into, returns an array whose last axis goes along
        these rows, and what is in it does not depend on other rows; it is copied. Several threads may call it at once.
        ``value`` takes what all rows make, and may write into it.

        Where ``made`` has an attribute ``vector`` that is not None, x is a matrix, and ``made(rows)`` is
        ``(rows @ vector)[None]``, to rounding: of doubles, such products are formed without moving rows in memory.
        """


@runtime_checkable
class NativeScalar(Protocol):
    """A scalar function that measures its differences without the interpreter, by calls like those of any other f."""

    def __call__(self, x: Array, /) -> float:
        """Return the value of f at x."""

    def __fastgrad_differences__(
        self, x: Array, h: Float64Array, scheme: Any, out: Array, threads: int, pace: Pace | None = None
    ) -> int:
        """Write the differences by the stencils of `scheme` into `out`; return how often all had to be measured.

        `x`, `h`, `out` are as `StructuredFunction` has them. `pace`, if any, is to be told how many entries are done.
        The values, to the bit, are those of calls one after another, on any number of threads.
        """


@runtime_checkable
class NativeVector(Protocol):
    """A vector function that measures its differences without the interpreter."""

    m: int

    def __call__(self, x: Array, /) -> Float64Array:
        """Return the m values of f at x, in an array of their own."""

    def __fastgrad_columns__(
        self, x: Array, h: Float64Array, scheme: Any, out: Array, threads: int, pace: Pace | None = None
    ) -> int:
        """Write the differences into `out`, of shape ``(m, *x.shape)``, as `NativeScalar` does."""


@runtime_checkable
class KinkedFunction(StructuredFunction, Protocol):
    """A structured function with kinks, at which its one-sided slopes can be asked for."""

    def __fastgrad_slopes__(self, x: Array, h: Float64Array, left: Array, right: Array) -> int:
        """Write the one-sided differences (f(x) - f(x - h))/h and (f(x + h) - f(x))/h; return the evaluations made.

        Entries whose kink lies at x itself, or too close to be stepped around, have different slopes; all others have
        the central difference in both arrays, measured as `__fastgrad_gradient__` does.
        """
