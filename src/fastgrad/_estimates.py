"""Derivatives with their error bars: plain data, shaped like what was differentiated by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad._typing import Array

#: What may be noticed at an entry, in the order in which it is shown.
FLAGS = ("one-sided", "kink", "noisy", "diverges", "unsettled", "undefined")


@dataclass(frozen=True, eq=False)
class Derivative:
    """A derivative, entry by entry, with an error bar, what it took, and what was noticed.

    All that it holds has the form of the derivative: for a scalar f that of x, arrays of x's shape, or NumPy scalars
    where x is a bare number; for a Jacobian ``y.shape + x.shape``, but for the calls, which are those of each column.

    Attributes
    ----------
    value : ndarray
        The derivative, in x's working dtype. NaN where f has no value around x.
    error : ndarray
        The error bar. The derivative lies within it in all but about one case of a hundred; ``inf`` where nothing can
        be said, as where the slope is infinite.
    calls : ndarray of int
        The calls of f that each entry took. One call that all entries share stands with the first, as do all calls of a
        structured callable: the sum is what was called.
    step : ndarray of float64
        The largest step of those that the value was made of.
    flags : dict from str to ndarray of bool
        Which entries have been flagged:

        - ``"one-sided"``: f was asked on one side alone, for it has no value on the other, or a bound is near;
        - ``"kink"``: the slopes on both sides differ, at x or right beside it, and the bar reaches to both;
        - ``"noisy"``: f jitters by far more than rounding;
        - ``"diverges"``: the slope is infinite, or f jumps;
        - ``"unsettled"``: steps of different sizes do not agree, and the bar says how far they are apart;
        - ``"undefined"``: f has no finite value there, or on a side that was asked for. The bar is infinite; the
          derivative is NaN, but where a central difference passes over an x at which f has no value.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> found = fg.derivative(np.abs, np.array([-1.0, 0.0, 2.0]), details=True)
    >>> found.value.tolist(), found.flags["kink"].tolist()
    ([-1.0, 0.0, 1.0], [False, True, False])
    """

    value: Any
    error: Any
    calls: Any
    step: Any
    flags: dict[str, Any]

    def into(self, out: Array) -> "Derivative":
        """Write the value into an array of its own shape; return the same with that array for a value."""
        out[...] = self.value
        return Derivative(out, self.error, self.calls, self.step, self.flags)

    def after(self, calls: int) -> "Derivative":
        """Return the same with calls that were made beforehand, which stand with the first entry."""
        if not calls:
            return self
        made = np.array(self.calls)
        made.reshape(-1)[:1] += calls
        return Derivative(self.value, self.error, made, self.step, self.flags)

    def mapped(self, form: Callable[[Array], Any]) -> "Derivative":
        """Return the same with each array put into another form."""
        flags = {name: form(mask) for name, mask in self.flags.items()}
        return Derivative(form(self.value), form(self.error), form(self.calls), form(self.step), flags)
