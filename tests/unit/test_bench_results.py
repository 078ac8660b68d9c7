"""Figures that are kept from run to run, machine by machine, and the pages that are made of them."""

import json
from pathlib import Path

import pytest

from bench import _highlights, _page, _results, render
from fastgrad._bench.record import Family, Record
from fastgrad._bench.rows import Figure, Row, at_least
from fastgrad._bench.timing import Ratio

SOFTWARE = {"fastgrad": "0", "backend": "compiled", "python": "3", "numpy": "2", "blas": "b", "blas_threads": 1}


def hardware(cpu: str) -> dict[str, object]:
    return {"cpu": cpu, "cores": 2, "caches": {"L1": "32K"}, "system": "Linux"}


def family(title: str, when: str, *rows: Row) -> Family:
    return Family(title, when, SOFTWARE, 1.0, 2.5, rows)


def row(n: int, gain: float) -> Row:
    return Row(f"x, n = {n}", 1e-3 * n, [Figure("reference / fastgrad", Ratio(gain, gain), at_least(2))])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(_results, "FOLDER", tmp_path)
    return tmp_path


def test_a_partial_run_changes_its_own_family_on_its_own_machine(folder: Path) -> None:
    (folder / "other.json").write_text('{"rows": []}')
    one, two = hardware("Some CPU (1)"), hardware("Another CPU")
    _results.keep(one, "a", family("a", "2026-01-01"))
    _results.keep(one, "b", family("b", "2026-01-01"))
    _results.keep(two, "a", family("a on another", "2026-03-01"))
    path = _results.keep(one, "a", family("a again", "2026-02-01"))
    assert path == folder / "some-cpu-1-2-cores.json"
    newest, older = _results.records()
    assert newest.machine == two
    assert [(name, one.title, one.when) for name, one in older.families.items()] == [
        ("a", "a again", "2026-02-01"),
        ("b", "b", "2026-01-01"),
    ]


def test_readme_counts_the_aims_and_shows_the_highlights_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    highlights = [_highlights.Highlight(name, "x, n = 3", "reference / fastgrad", f"the {name}") for name in "ab"]
    monkeypatch.setattr(_highlights, "HIGHLIGHTS", highlights)
    record = Record(hardware("CPU"), {"a": family("A", "2026-01-01", row(3, 4.0), row(9, 1.0))})
    assert _highlights.shown(record)[1] == [highlights[1]]
    block = _page.readme([record])
    assert "| the a | 3 ms | **4** (4) ≥ 2 ✓ |" in block
    assert "the b" not in block
    assert "2 aims in such ratios; on this machine 1 are" in block


def test_render_writes_pages_and_pictures_and_draws_again_what_has_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    pages, pictures = [folder / "README.md", folder / "benchmarks.md"], folder / "figures"
    for page in pages:
        page.write_text("a\n<!-- bench:begin -->\n\n<!-- bench:end -->\nb\n")
    for name, value in zip(("README", "DOCS", "PICTURES"), (*pages, pictures), strict=True):
        monkeypatch.setattr(render, name, value)
    here = hardware("CPU")
    _results.keep(here, "growth", family("Growth", "2026-01-01", row(3, 4.0), row(9, 3.0)))
    assert render.main() == 1
    assert "Not measured, so not in README: opaque" in capsys.readouterr().err
    (picture,) = pictures.iterdir()
    first = picture.read_text()
    assert "<svg" in first
    assert "### Growth\n\n2026-01-01; fastgrad 0" in pages[1].read_text()
    (pictures / "of-yesterday.svg").write_text("")
    render.main()
    assert [path.read_text() for path in pictures.iterdir()] == [first]
    _results.keep(here, "growth", family("Growth", "2026-01-02", row(3, 5.0), row(9, 3.0)))
    record = Record.from_data(json.loads((folder / "cpu-2-cores.json").read_text()))
    assert not render.shows(picture, record.families["growth"])
    render.main()
    assert render.shows(picture, record.families["growth"])
