"""A result as text within 100 columns."""

from textwrap import wrap
from typing import TYPE_CHECKING

from fastgrad._worst import errors, worst_first

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastgrad._result import Entries, GradientCheck

#: The rows of a table of entries, and the columns of all text.
ROWS, COLUMNS = 10, 100


def text(check: "GradientCheck") -> str:
    """Return the report: the verdict, what the bug probably is, the worst entries as a table, how it was measured."""
    lines = _wrapped(headline(check), "")
    for reason in check.reasons:
        lines += _wrapped(reason)
    if check.diagnosis:
        lines += _wrapped(f"diagnosis: {check.diagnosis}")
    shown = check.wrong if len(check.wrong) else check.unresolved
    if len(shown):
        lines += table_of(shown, check.name)
    return "\n".join(lines + footer(check))


def brief(result: object) -> str:
    """Return what a console shows of a result that nobody printed: its class, and the first line of what it says."""
    return f"<{type(result).__name__}: {str(result).partition(chr(10))[0]}>"


def footer(check: "GradientCheck") -> list[str]:
    """Return the lines on kinks, and on how it was measured."""
    lines = []
    if len(check.kinks):
        lines.append(f"  {_count(len(check.kinks), 'entry', 'entries')} at a kink, judged by the slopes on both sides")
    if check.wrong_share is not None:
        lines += _wrapped(_sampled(check))
    if check.resolution < float("inf"):
        lines += _wrapped(_resolution(check))
    return lines + _wrapped(_how(check))


def _wrapped(sentence: str, indent: str = "  ") -> list[str]:
    return wrap(sentence, COLUMNS, initial_indent=indent, subsequent_indent="  ", break_on_hyphens=False)


def headline(check: "GradientCheck") -> str:
    """Return the verdict with its numbers."""
    tolerance = f"atol {check.atol:.3g}, rtol {check.rtol:.3g}"
    compared = _count(check.compared, "entry", "entries")
    if check.verdict == "failed":
        return f"{check.what} check failed: {len(check.wrong)} of {compared} wrong ({tolerance})"
    if check.verdict == "inconclusive":
        return f"{check.what} check inconclusive: {compared} compared ({tolerance})"
    sign = "≤" if check.max_error_is_bound else "="
    return f"{check.what} check passed: {compared}, max error {sign} {check.max_error:.3g} ({tolerance})"


def rows(shown: "Entries", name: "Callable[[int], str]") -> list[tuple[str, ...]]:
    """Return the head and the rows of a table of the worst entries."""
    error = errors(shown.claimed, shown.measured)
    table: list[tuple[str, ...]] = [("entry", "claimed", "measured", "± bound", "difference", "relative")]
    for k in worst_first(error)[:ROWS]:
        claimed, measured = float(shown.claimed[k]), float(shown.measured[k])
        size = max(abs(claimed), abs(measured))
        table.append(
            (
                name(int(shown.indices[k])),
                f"{claimed:.9g}",
                f"{measured:.9g}",
                f"{shown.error_bound[k]:.1e}",
                f"{error[k]:.3g}",
                f"{error[k] / size:.2g}" if 0.0 < size < float("inf") else "-",
            )
        )
    return table


def table_of(shown: "Entries", name: "Callable[[int], str]") -> list[str]:
    """Return the same as lines, and a last one where there are more entries."""
    table = rows(shown, name)
    width = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    width[0] = min(width[0], COLUMNS - 2 - sum(w + 2 for w in width[1:]))
    lines = [
        "  " + _shortened(row[0], width[0]).ljust(width[0]) + "".join(f"  {row[k]:>{width[k]}}" for k in range(1, 6))
        for row in table
    ]
    if len(shown) > ROWS:
        lines.append(f"  … and {len(shown) - ROWS} more")
    return lines


def _sampled(check: "GradientCheck") -> str:
    low, high = check.wrong_share or (0.0, 0.0)
    k = f"{len(check.wrong)} of {check.compared} sampled entries wrong"
    if low == high:
        return f"{k}, and these are all"
    return (
        f"{k}, so between {low:.2g} and {high:.2g} of all, with 95 % either way"
        if low
        else (f"{k}, so at most {high:.2g} of all entries, with 95 %")
    )


def _resolution(check: "GradientCheck") -> str:
    parts = [f"resolution {check.resolution:.1e} in one entry"]
    if check.resolution_norm < float("inf"):
        parts.append(f"{check.resolution_norm:.1e} of the norm")
    if check.noise == check.noise:
        parts.append(f"noise of f {check.noise:.1e}")
    if check.seed is not None:
        parts.append(f"seed {check.seed}")
    return ", ".join(parts)


def _shortened(name: str, width: int) -> str:
    """Return a name without its middle, where it is too long: its start says which leaf, its end which entry."""
    if len(name) <= width:
        return name
    end = (2 * width) // 3
    return f"{name[: width - end - 1]}…{name[len(name) - end :]}"


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
