"""How the demo looks in a terminal: 100 columns, headings, aligned tables, marks. It knows nothing of what it tells."""

import os
import sys
import textwrap
from collections.abc import Sequence

WIDTH = 100
_BOLD, _DIM, _GREEN, _RED, _PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"


class Page:
    """Standard output; in colour when it is a terminal and NO_COLOR is not set."""

    def __init__(self) -> None:
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._signs = ("✗", "✓") if _can_print("✓✗") else ("WRONG", "ok")
        self._chapter = 0

    def line(self, text: str = "") -> None:
        """Print a line at once, so that the story is seen while it is computed."""
        print(text, flush=True)

    def headline(self, name: str, details: str) -> None:
        """Print what runs here."""
        self.line(f"{self._in(_BOLD, name)}  {self._in(_DIM, details)}")

    def chapter(self, title: str) -> None:
        """Begin the next chapter."""
        self._chapter += 1
        heading = f"{self._chapter}  {title} "
        self.line()
        self.line(self._in(_BOLD, heading) + self._in(_DIM, "─" * (WIDTH - len(heading))))

    def paragraph(self, text: str) -> None:
        """Print prose, filled to the width of the page."""
        filled = textwrap.fill(" ".join(text.split()), WIDTH, initial_indent="   ", subsequent_indent="   ")
        self.line(self._coloured(filled))

    def verdict(self, text: str, held: bool) -> None:
        """Print a sentence, and whether it held."""
        self.paragraph(f"{text} {self.mark(held)}")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
        """Print aligned columns, the first `left` to the left and the others to the right."""
        widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
        gap = 3 if sum(widths) + 3 * len(widths) <= WIDTH else 2
        for number, row in enumerate([head, *rows]):
            cells = (
                cell.ljust(w) if k < left else cell.rjust(w)
                for k, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            text = "   " + (" " * gap).join(cells).rstrip()
            self.line(self._in(_DIM, text) if number == 0 else self._coloured(text))

    def block(self, text: str) -> None:
        """Print text behind a bar, as it is where it fits."""
        for given in text.splitlines():
            indent = " " * (len(given) - len(given.lstrip()) + 2)
            for line in (
                [given] if len(given) <= WIDTH - 5 else textwrap.wrap(given, WIDTH - 5, subsequent_indent=indent)
            ):
                self.line(f"   {self._in(_DIM, '│')} {line}")

    def mark(self, held: bool) -> str:
        """Return the sign for a claim that held, or did not."""
        return self._signs[1 if held else 0]

    def _coloured(self, text: str) -> str:
        for sign, colour in zip(self._signs, (_RED, _GREEN), strict=True):
            text = text.replace(sign, self._in(colour, sign))
        return text

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours else text


def _can_print(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def count(n: int) -> str:
    """Return a number with its digits in threes.

    Examples
    --------
    >>> count(1048576)
    '1 048 576'
    """
    return f"{n:,}".replace(",", " ")


def duration(seconds: float) -> str:
    """Return a time with two digits or so.

    Examples
    --------
    >>> duration(0.000123), duration(0.0123), duration(1.23), duration(301.0), duration(9000.0)
    ('120 µs', '12 ms', '1.2 s', '5 min', '2.5 h')
    """
    units = (("h", 3600.0, 7200.0), ("min", 60.0, 120.0), ("s", 1.0, 1.0), ("ms", 1e-3, 1e-3), ("µs", 1e-6, 0.0))
    unit, size = next((unit, size) for unit, size, least in units if seconds >= least)
    return f"{two_digits(seconds / size)} {unit}"


def two_digits(value: float) -> str:
    """Return a positive number rounded to two digits, without an exponent.

    Examples
    --------
    >>> two_digits(27123.0), two_digits(1.26)
    ('27 000', '1.3')
    """
    rounded = float(f"{value:.1e}")
    return count(round(rounded)) if rounded >= 10 else f"{rounded:g}"
