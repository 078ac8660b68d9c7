"""What all results of checks have in common: a verdict, a truth value, a line in a console, and an error to raise."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from fastgrad._errors import failure
from fastgrad._report.text import brief

Verdict = Literal["passed", "failed", "inconclusive"]


class Outcome:
    """The outcome of a check; true when it passed, and it unpacks as ``passed, max_error``."""

    if TYPE_CHECKING:  # fields of one result, and properties of another

        @property
        def verdict(self) -> Verdict:
            """Whether it passed or failed, or nobody could tell."""

        @property
        def max_error(self) -> float:
            """The largest error, or what none exceeds."""

    @property
    def passed(self) -> bool:
        """Whether the verdict is "passed"."""
        return self.verdict == "passed"

    def __bool__(self) -> bool:
        return self.passed

    def __iter__(self) -> Iterator[bool | float]:
        return iter((self.passed, self.max_error))

    def __repr__(self) -> str:
        return brief(self)

    def raise_if_failed(self) -> None:
        """Raise `GradientMismatch` for a failed check and `InconclusiveError` for an inconclusive one.

        Raises
        ------
        GradientMismatch, InconclusiveError
            Both are an AssertionError; the message is the report.
        """
        __tracebackhide__ = True
        if not self.passed:
            raise failure(self.verdict, str(self))
