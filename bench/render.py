"""Writes README's table and docs/benchmarks.md, with its pictures, from the figures under bench/results.

Pictures are drawn anew where their figures have changed; that needs matplotlib.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import _highlights, _page, _results
from fastgrad._bench.machine import told_hardware
from fastgrad._bench.picture import draw
from fastgrad._bench.record import Family, Record

ROOT = Path(__file__).parents[1]
README, DOCS, PICTURES = ROOT / "README.md", ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "figures"
_BLOCK = re.compile(r"(?<=<!-- bench:begin -->\n).*(?=\n<!-- bench:end -->)", re.DOTALL)


def main() -> int:
    """Return 1 if a row that README is to show was not measured on the machine that it shows, else 0."""
    records = _results.records()
    for file, text in texts(records).items():
        file.write_text(text, encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    wanted = pictures(records)
    for path in set(PICTURES.glob("*.svg")) - set(wanted):
        path.unlink()
    for path, (record, name) in wanted.items():
        family = record.families[name]
        if not shows(path, family):
            _draw(path, f"{_page.PICTURES[name]}; {told_hardware(record.machine)}; {family.when}", family)
    _, lacking = _highlights.shown(records[0])
    for one in lacking:
        print(f"Not measured, so not in README: {one.family}, {one.work}, {one.figure}", file=sys.stderr)
    return 1 if lacking else 0


def texts(records: Sequence[Record]) -> dict[Path, str]:
    """Return what README and the page are to be: as they are, but for what stands between the marks."""
    return {
        README: with_block(README.read_text(encoding="utf-8"), _page.readme(records)),
        DOCS: with_block(DOCS.read_text(encoding="utf-8"), _page.page(records)),
    }


def with_block(text: str, block: str) -> str:
    """Return a page with this block between its marks.

    Raises
    ------
    ValueError
        If the page has no marks.
    """
    if not _BLOCK.search(text):
        raise ValueError("the page has no lines <!-- bench:begin --> and <!-- bench:end --> to write between.")
    return _BLOCK.sub(lambda _: block, text)


def pictures(records: Sequence[Record]) -> dict[Path, tuple[Record, str]]:
    """Return the pictures that the page shows, and what each is drawn from."""
    return {
        PICTURES / _page.picture_name(record, name): (record, name)
        for record in records
        for name in _page.PICTURES
        if name in record.families
    }


def shows(path: Path, family: Family) -> bool:
    """Tell whether a picture was drawn from these rows."""
    return path.exists() and _page.digest(family) in path.read_text(encoding="utf-8")


def _draw(path: Path, title: str, family: Family) -> None:
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "fastgrad", "svg.fonttype": "none"}):
        draw(family.rows, title).savefig(path, metadata={"Date": None, "Source": _page.digest(family)})
    path.write_text("\n".join(map(str.rstrip, path.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
