"""How far a long check has come, told now and then to whoever wants to know; it never decides anything."""

import sys
from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from fastgrad._progress_bar import Shown

#: Seconds between two reports, and for how long a check runs before a terminal that asked for nothing is told of it.
INTERVAL, PATIENCE = 0.1, 2.0

#: How much later than so far, at the most, the clock is looked at again.
GROWTH = 10

#: So many entries are never done: nobody is to be told any more.
NEVER = sys.maxsize

ProgressLike = bool | Callable[[int, int], Any] | None


class Progress:
    """The progress of one check: over so many entries, some of which are looked at again, or in calls of f.

    Parameters
    ----------
    tell : callable or None
        Called as ``tell(done, total)``; None is told nothing, and costs nothing.
    patience : float
        Seconds that pass before the first report.
    """

    __slots__ = ("_base", "_began", "_done", "_due", "_is_open", "_is_told", "_patience", "_tell", "_total")

    def __init__(self, tell: Callable[[int, int], Any] | None, patience: float = 0.0) -> None:
        self._tell = tell
        self._patience = patience
        self._total = self._base = self._done = 0
        self._is_told = False
        self._is_open = False
        self._began = perf_counter() if tell else 0.0
        self._due = self._began + max(patience, INTERVAL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            self._finish()
        if isinstance(self._tell, Shown):
            self._tell.close()

    def begin(self, count: int) -> None:
        """Begin a pass over so many entries; the one before, if any, is done."""
        self._base = self._done = self._total
        self._total += count

    def pace(self, done: int) -> int:
        """Take note that so many entries of a pass are done; return how many shall be when this is called again.

        A loop that asks so seldom pays nothing for it: the clock is looked at ten times a second, as the speed so far
        foretells, and at the start a dozen times more.
        """
        if self._tell is None:
            return NEVER
        self._done = self._base + done
        now = self._look()
        if not self._done:
            return done + 1
        soon = int(self._done * INTERVAL / max(now - self._began, 1e-9))
        return done + max(1, min(soon, GROWTH * self._done))

    def counting(self, f: Callable[[Any], Any], foreseen: int) -> Callable[[Any], Any]:
        """Return f as a function that takes note of its calls, of which nobody knows how many there will be."""
        if self._tell is None:
            return f
        self.begin(foreseen)
        self._is_open = True

        def counted(x: Any) -> Any:
            y = f(x)
            self._done += 1
            self._total = max(self._total, self._done + 1)
            self._look()
            return y

        return counted

    def _finish(self) -> None:
        """Report the end, unless nobody had the patience to be told anything."""
        if self._tell is None or (self._patience and not self._is_told):
            return
        if self._is_open:
            self._total = self._done
        self._done = self._total
        self._report()

    def _look(self) -> float:
        """Look at the clock, and report if it is time."""
        now = perf_counter()
        if now >= self._due:
            self._due = now + INTERVAL
            self._report()
        return now

    def _report(self) -> None:
        self._is_told = True
        if self._tell is not None:
            self._tell(self._done, self._total)


def progress_of(given: ProgressLike, what: str) -> Progress:
    """Return the progress that a user's `progress` argument means.

    Raises
    ------
    TypeError
        If it is neither None, nor a boolean, nor callable.
    """
    if given is None:
        is_terminal = sys.stderr is not None and sys.stderr.isatty()
        return Progress(Shown(what, leave=False) if is_terminal else None, PATIENCE)
    if isinstance(given, bool):
        return Progress(Shown(what, leave=True) if given else None)
    if not callable(given):
        raise TypeError(f"progress must be None, True, False or a callable of (done, total); got {given!r}.")
    return Progress(given)
