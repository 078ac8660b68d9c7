"""How many calls of f, or how much time, a check may take."""

import re
from datetime import timedelta
from time import monotonic

import numpy as np

#: The units that a budget of time may be given in, in seconds.
UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


class Spent(Exception):  # noqa: N818 - no error: it is caught within, and told
    """The budget has ended. It is caught within fastgrad, and the report says what was covered."""


class Budget:
    """What may still be spent; one without limits where nothing was given.

    Parameters
    ----------
    calls : int or None
    seconds : float or None
        Counted from now on.

    Attributes
    ----------
    is_limited : bool
        Whether anything limits it.
    """

    def __init__(self, calls: int | None = None, seconds: float | None = None) -> None:
        self._left = calls
        self._end = None if seconds is None else monotonic() + seconds
        self.is_limited = calls is not None or seconds is not None

    def take(self, calls: int = 1) -> None:
        """Pay for calls of f that are about to be made, or raise `Spent`."""
        if self.is_over(calls):
            raise Spent
        if self._left is not None:
            self._left -= calls

    def is_over(self, calls: int = 1) -> bool:
        """Tell whether so many calls are no longer to be had."""
        return (self._left is not None and self._left < calls) or (self._end is not None and monotonic() >= self._end)

    def affordable(self, calls: int) -> int:
        """Return how many of so many calls the limit on calls allows; the clock is not asked."""
        return calls if self._left is None else min(calls, self._left)


def as_budget(given: object) -> Budget:
    """Return the budget that a caller means: an integer of calls, a timedelta, or a text as "10 s" or "2 min".

    Raises
    ------
    TypeError
        If it is none of these; a bare float is not, for it could mean either.
    ValueError
        If it is no text of that form, or not positive.
    """
    if given is None:
        return Budget()
    if isinstance(given, int | np.integer) and not isinstance(given, bool | np.timedelta64):
        if given <= 0:
            raise ValueError(f"a budget must be positive; got {given} calls.")
        return Budget(calls=int(given))
    if isinstance(given, timedelta):
        seconds = given.total_seconds()
    elif isinstance(given, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|min|h)\s*", given)
        if match is None:
            raise ValueError(f'a budget of time is a number and a unit (ms, s, min, h), as "10 s"; got {given!r}.')
        seconds = float(match[1]) * UNITS[match[2]]
    else:
        raise TypeError(
            f'budget must be an integer, the calls of f, or a time as a timedelta or a text as "10 s"; got {given!r}.'
        )
    if not seconds > 0:
        raise ValueError(f"a budget must be positive; got {given!r}.")
    return Budget(seconds=seconds)
