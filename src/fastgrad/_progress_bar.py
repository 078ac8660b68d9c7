"""A bar that shows on a terminal how far something has come: tqdm's, or a line of words."""

import sys
from typing import Any, Protocol


class Bar(Protocol):
    """As much of tqdm's bar as is used."""

    n: int
    total: int

    def update(self, n: int) -> Any:
        """Move it forward by n."""

    def close(self) -> None:
        """Take leave of it."""


class Shown:
    """A bar on standard error, drawn when there is first something to tell; with tqdm where that is installed.

    Parameters
    ----------
    what : str
        What is going on.
    leave : bool
        Whether the bar stays when all is done.
    """

    def __init__(self, what: str, *, leave: bool) -> None:
        self._what = what
        self._leave = leave
        self._bar: Bar | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = _bar(self._what, done, total, self._leave)
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Finish the bar, if one was drawn."""
        if self._bar is not None:
            self._bar.close()


class Line:
    """A bar in words, one line that is written over and over."""

    def __init__(self, what: str, done: int, total: int, leave: bool) -> None:
        self.n, self.total = done, total
        self._what, self._leave = what, leave
        self._width = 0

    def update(self, n: int) -> None:
        """Write how far it is."""
        self.n += n
        text = f"{self._what}: {self.n} of {self.total} ({100 * self.n // max(self.total, 1)} %)"
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def close(self) -> None:
        """End the line, or wipe it away."""
        sys.stderr.write("\n" if self._leave else "\r" + " " * self._width + "\r")
        sys.stderr.flush()


def _bar(what: str, done: int, total: int, leave: bool) -> Bar:
    try:
        from tqdm import tqdm
    except ImportError:
        return Line(what, done, total, leave)
    bar: Bar = tqdm(initial=done, total=total, desc=what, leave=leave, file=sys.stderr)
    return bar
