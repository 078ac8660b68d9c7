"""What the check of a layer found: plain frozen data, and its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import indent, wrap
from typing import Any

from fastgrad._outcome import Outcome, Verdict
from fastgrad._report.text import COLUMNS
from fastgrad._result import Entry, GradientCheck

#: The most that a name, and a shape, take of a line.
_NAME, _SHAPE = 28, 22


@dataclass(frozen=True, eq=False, repr=False)
class LayerCheck(Outcome):
    """The outcome of a layer check; true when all gradients passed, and it unpacks as ``passed, max_error``.

    Attributes
    ----------
    layer : str
        The class of the layer.
    checks : dict of str to GradientCheck
        The outcome for each gradient that was claimed, by name.
    unclaimed : tuple of str
        The names for which backward gave None.
    seed : int
        What replays the check, as ``rng=seed``.
    is_given : bool
        Whether the cotangent was given, rather than drawn.
    output_shapes : tuple of tuple of int
        What forward returns: one shape, or one a leaf.
    forwards, backwards : int
        Calls of forward, and of backward.
    reasons : tuple of str
        Sentences that say why the verdict is not plain.
    """

    layer: str
    checks: Mapping[str, GradientCheck]
    unclaimed: tuple[str, ...]
    seed: int
    is_given: bool
    output_shapes: tuple[tuple[int, ...], ...]
    forwards: int
    backwards: int
    reasons: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Failed if any gradient failed; else inconclusive if any is, or if nothing could be judged."""
        verdicts = {check.verdict for check in self.checks.values()}
        if "failed" in verdicts:
            return "failed"
        return "passed" if verdicts == {"passed"} else "inconclusive"

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the gradients that failed."""
        return tuple(name for name, check in self.checks.items() if check.verdict == "failed")

    @property
    def max_error(self) -> float:
        """The largest of the errors of the gradients; NaN where one of them is, or none was judged."""
        errors = [check.max_error for check in self.checks.values()]
        return max(errors, key=lambda e: float("inf") if e != e else e, default=float("nan"))

    @property
    def worst(self) -> Entry | None:
        """The worst entry of the gradient with the largest error, among those that failed if any did."""
        judged = [self.checks[name] for name in self.failed] or list(self.checks.values())
        largest = max(judged, key=lambda c: float("inf") if c.max_error != c.max_error else c.max_error, default=None)
        return None if largest is None else largest.worst

    def __str__(self) -> str:
        lines = wrap(_headline(self), COLUMNS, subsequent_indent="  ")
        for reason in self.reasons:
            lines += wrap(reason, COLUMNS, initial_indent="  ", subsequent_indent="  ")
        if self.checks:
            lines += _table(self)
        lines.append(f"  {_how(self)}")
        for name, check in self.checks.items():
            if not check.passed:
                lines += [*wrap(f"{name}:", COLUMNS), str(check) if _is_wide(check) else indent(str(check), "  ")]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain numbers, strings, lists and dictionaries, as JSON takes them but for NaN."""
        return {
            "passed": self.passed,
            "verdict": self.verdict,
            "max_error": self.max_error,
            "layer": self.layer,
            "checks": {name: check.to_dict() for name, check in self.checks.items()},
            "unclaimed": list(self.unclaimed),
            "seed": self.seed,
            "is_given": self.is_given,
            "output_shapes": [list(shape) for shape in self.output_shapes],
            "forwards": self.forwards,
            "backwards": self.backwards,
            "reasons": list(self.reasons),
        }


def _headline(result: LayerCheck) -> str:
    count = len(result.checks)
    if result.verdict == "failed":
        names = ", ".join(result.failed)
        return f"layer check failed: {len(result.failed)} of {_gradients(count)} wrong: {names} ({result.layer})"
    if result.verdict == "inconclusive":
        open_ = ", ".join(name for name, check in result.checks.items() if not check.passed) or "nothing judged"
        return f"layer check inconclusive: {open_} ({result.layer})"
    bound = any(check.max_error_is_bound for check in result.checks.values())
    return (
        f"layer check passed: {_gradients(count)}, max error {'≤' if bound else '='} {result.max_error:.3g} "
        f"({result.layer})"
    )


def _gradients(count: int) -> str:
    return f"{count} {'gradient' if count == 1 else 'gradients'}"


def _table(result: LayerCheck) -> list[str]:
    rows = [("gradient", "shape", "verdict", "max error", "worst entry")]
    for name, check in result.checks.items():
        worst = check.worst.name if check.worst else "-"
        shape = str(check.shape) if len(check.leaves) == 1 else f"{len(check.leaves)} arrays"
        sign = "≤ " if check.max_error_is_bound else ""
        rows.append((_cut(name, _NAME), _cut(shape, _SHAPE), check.verdict, f"{sign}{check.max_error:.3g}", worst))
    width = [max(len(row[k]) for row in rows) for k in range(4)]
    right = COLUMNS - 2 - sum(width) - 8
    return [
        "  " + "  ".join([*(cell.ljust(w) for cell, w in zip(row, width, strict=False)), _cut(row[4], right)]).rstrip()
        for row in rows
    ]


def _how(result: LayerCheck) -> str:
    cotangent = "grad_output as given" if result.is_given else "random grad_output"
    shapes = " and ".join(map(str, result.output_shapes[:2])) + (" …" if len(result.output_shapes) > 2 else "")
    return _cut(
        f"{cotangent} {shapes}, {result.forwards} calls of forward, {result.backwards} of backward, rng={result.seed}",
        COLUMNS - 2,
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _is_wide(check: GradientCheck) -> bool:
    return max(map(len, str(check).splitlines())) > COLUMNS - 2
