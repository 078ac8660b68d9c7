"""README and docs/benchmarks.md say what the figures under bench/results say, and nothing older."""

import re
from pathlib import Path

import pytest

from bench import _highlights, _page, _results, render

RECORDS = _results.records()


@pytest.mark.parametrize("page", [render.README, render.DOCS], ids=lambda path: path.name)
def test_a_page_tells_what_was_measured(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == render.texts(RECORDS)[page], "run `python -m bench.render`"


def test_pictures_are_drawn_from_what_was_measured() -> None:
    wanted = render.pictures(RECORDS)
    assert set(wanted) == set(render.PICTURES.glob("*.svg"))
    for path, (record, name) in wanted.items():
        assert render.shows(path, record.families[name]), f"{path.name} is old: run `python -m bench.render`"


def test_the_page_shows_each_picture() -> None:
    shown = re.findall(r"\]\(figures/(.+?)\)", render.DOCS.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in render.pictures(RECORDS))


def test_readme_shows_rows_of_many_families() -> None:
    found, _ = _highlights.shown(RECORDS[0])
    assert len(found) >= 8
    block = _page.readme(RECORDS)
    assert all(f"| {one.name} |" in block for one in found)


def test_each_row_of_each_machine_is_on_the_page() -> None:
    text = render.DOCS.read_text(encoding="utf-8")
    rows = [row.work for record in RECORDS for family in record.families.values() for row in family.rows]
    assert len(rows) > 40
    assert all(f"| {work} |" in text for work in rows)


def test_what_stands_outside_the_marks_is_left_alone() -> None:
    page = "before\n<!-- bench:begin -->\nold\nold\n<!-- bench:end -->\nafter"
    assert render.with_block(page, "new \\1") == "before\n<!-- bench:begin -->\nnew \\1\n<!-- bench:end -->\nafter"
    with pytest.raises(ValueError, match="to write between"):
        render.with_block("no marks", "new")
