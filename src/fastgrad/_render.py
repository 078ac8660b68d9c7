"""A result as text within 100 columns."""

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastgrad._result import Entries, GradientCheck

ROWS, COLUMNS = 10, 100


def text(check: "GradientCheck") -> str:
    """Return the report: the verdict, the worst entries as a table, and how it was measured."""
    lines = [_headline(check)]
    for reason in check.reasons:
        lines += wrap(reason, COLUMNS, initial_indent="  ", subsequent_indent="  ")
    shown = check.wrong if len(check.wrong) else check.unresolved
    if len(shown):
        lines += _table(shown, check.name)
    if len(check.kinks):
        lines.append(f"  {_count(len(check.kinks), 'entry', 'entries')} at a kink, judged by the slopes on both sides")
    lines.append(f"  {_how(check)}")
    return "\n".join(lines)


def _headline(check: "GradientCheck") -> str:
    tolerance = f"atol {check.atol:.3g}, rtol {check.rtol:.3g}"
    if check.verdict == "failed":
        compared = _count(check.compared, "entry", "entries")
        return f"{check.what} check failed: {len(check.wrong)} of {compared} wrong ({tolerance})"
    if check.verdict == "inconclusive":
        return f"{check.what} check inconclusive: {check.compared} entries compared ({tolerance})"
    sign = "≤" if check.max_error_is_bound else "="
    return (
        f"{check.what} check passed: {_count(check.compared, 'entry', 'entries')}, "
        f"max error {sign} {check.max_error:.3g} ({tolerance})"
    )


def _table(shown: "Entries", name: "Callable[[int], str]") -> list[str]:
    with np.errstate(invalid="ignore"):
        error = np.abs(shown.claimed - shown.measured)
    order = np.argsort(-np.where(np.isnan(error), np.inf, error), kind="stable")[:ROWS]
    rows = [("entry", "claimed", "measured", "± bound", "difference", "relative")]
    for k in order:
        claimed, measured = float(shown.claimed[k]), float(shown.measured[k])
        size = max(abs(claimed), abs(measured))
        rows.append(
            (
                name(int(shown.indices[k])),
                f"{claimed:.9g}",
                f"{measured:.9g}",
                f"{shown.error_bound[k]:.1e}",
                f"{error[k]:.3g}",
                f"{error[k] / size:.2g}" if 0.0 < size < float("inf") else "-",
            )
        )
    width = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  " + row[0].ljust(width[0]) + "".join("  " + row[k].rjust(width[k]) for k in range(1, len(row)))
        for row in rows
    ]
    if len(shown) > ROWS:
        lines.append(f"  … and {len(shown) - ROWS} more")
    return lines


def _how(check: "GradientCheck") -> str:
    parts = [f"measured by central differences, eps = {check.eps}", f"mode {check.mode}"]
    if check.structured:
        parts.append(f"uses structure, {_count(check.calls, 'evaluation', 'evaluations')}")
    else:
        parts.append(f"{_count(check.calls, 'call', 'calls')} of f")
    if check.redone:
        parts.append(f"{_count(check.redone, 'entry', 'entries')} redone with a smaller step at a kink")
    return ", ".join(parts)


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
