"""A result as HTML: a fragment for notebooks, and one self-contained page."""

from html import escape
from typing import TYPE_CHECKING

from fastgrad._report import svg as _svg
from fastgrad._report import text as _render

if TYPE_CHECKING:
    from fastgrad._result import GradientCheck

_COLOURS = {"passed": "#00785a", "failed": "#b3420a", "inconclusive": "#8a6a00"}
_CELL = 'style="text-align:right;padding:2px 10px;font-family:monospace"'
_NAME = 'style="text-align:left;padding:2px 10px;font-family:monospace;white-space:pre-wrap;word-break:break-all"'


def fragment(check: "GradientCheck") -> str:
    """Return the report as a piece of HTML without scripts: verdict, diagnosis, table, pictures, how it was done."""
    style = f"border-left:6px solid {_COLOURS[check.verdict]};padding-left:10px"
    parts = [f'<p style="{style}"><b>{escape(_render.headline(check))}</b></p>']
    parts += [f"<p>{escape(reason)}</p>" for reason in check.reasons]
    if check.diagnosis:
        parts.append(f"<p><b>Diagnosis.</b> {escape(check.diagnosis)}.</p>")
    shown = check.wrong if len(check.wrong) else check.unresolved
    if len(shown):
        parts.append(_table(_render.rows(shown, check.name)))
        if len(shown) > _render.ROWS:
            parts.append(f"<p>… and {len(shown) - _render.ROWS} more</p>")
    if len(check.leaves) > 1 and len(shown):
        parts.append(_table(_by_leaf(check)))
    if check.errors is not None:
        parts.append(_svg.heat_map(check.errors))
    if check.sweep is not None:
        parts.append(_svg.sweep(check.sweep, check.name(check.sweep.index)))
    parts += [f"<p>{escape(line.strip())}</p>" for line in _render.footer(check)]
    return f'<div class="fastgrad">{"".join(parts)}</div>'


def page(check: "GradientCheck") -> str:
    """Return a whole document that refers to nothing outside itself."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{check.what} check {check.verdict}</title>"
        "<style>body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#22313f}"
        "table{border-collapse:collapse}th{border-bottom:1px solid #8a949e}</style>"
        f"</head><body><h1>{check.what[0].upper()}{check.what[1:]} check</h1>{fragment(check)}</body></html>\n"
    )


def _table(rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th {_CELL if k else _NAME}>{escape(cell)}</th>" for k, cell in enumerate(rows[0]))
    body = "".join(
        f"<tr>{''.join(f'<td {_CELL if k else _NAME}>{escape(cell)}</td>' for k, cell in enumerate(row))}</tr>"
        for row in rows[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _by_leaf(check: "GradientCheck") -> list[tuple[str, ...]]:
    """Return a table of the leaves with their shapes and how many of their entries are wrong or unresolved."""
    rows: list[tuple[str, ...]] = [("leaf", "shape", "wrong", "unresolved")]
    for leaf in check.leaves:
        counts = [
            int(((entries.indices >= leaf.start) & (entries.indices < leaf.stop)).sum())
            for entries in (check.wrong, check.unresolved)
        ]
        rows.append((leaf.path, str(leaf.shape), *map(str, counts)))
    return rows
