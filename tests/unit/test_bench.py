"""The installed benchmark: what is timed in what order, what is told, drawn and written. No test looks at a time."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastgrad import _cli
from fastgrad._bench import command, machine, picture, timing
from fastgrad._bench.record import Family, Record
from fastgrad._bench.rows import Figure, Row, at_least, at_most, duration, number
from fastgrad._bench.tables import markdown, text
from fastgrad._bench.timing import Effort, Ratio, interleave

TINY = Effort(0.0, quick=True, batch=0.0)


class Clock:
    """A clock that goes on by what is done, and tells who did it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.order = 0.0, ""
        monkeypatch.setattr(timing, "perf_counter", lambda: self.now)

    def worker(self, name: str, *seconds: float) -> Callable[[], None]:
        """Return what takes these times, one after the other, and then the last again and again."""
        left = list(seconds)

        def work() -> None:
            self.now += left.pop(0) if len(left) > 1 else left[0]
            self.order += name

        return work


def test_contenders_run_in_turn_and_every_other_round_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    times = interleave({"a": clock.worker("a", 0.02), "b": clock.worker("b", 0.06)}, TINY)
    assert clock.order == "aabb" + "ab" + "ba" + "ab" + "ba" + "ab"
    assert vars(times.ratio("b", "a")) == pytest.approx({"of_minima": 3.0, "of_rounds": 3.0})


def test_what_lasts_long_is_warmed_up_once_and_run_in_three_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    interleave({"a": clock.worker("a", 0.9), "b": clock.worker("b", 0.2)}, TINY)
    assert clock.order == "ab" + "ab" + "ba" + "ab"


def test_short_runs_are_repeated_for_the_time_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    interleave({"a": clock.worker("a", 0.25)}, Effort(0.0, quick=True, batch=1.0))
    assert len(clock.order) == 1 + 4 * 3
    clock.order = ""
    times = interleave({"a": clock.worker("a", 1e-5)}, Effort(0.0, quick=True, batch=1e-2))
    assert 2 + 5 * 1000 <= len(clock.order) <= 2 + 5 * 1001
    assert times.best("a") == pytest.approx(1e-5)


def test_the_first_runs_do_not_count_and_the_least_does(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    runs = {"a": clock.worker("a", 9, 0.01, 0.02, 0.03, 0.01, 0.05, 0.02), "b": clock.worker("b", 0.01)}
    times = interleave(runs, TINY, scale={"b": 4.0})
    assert times.best("a") == pytest.approx(0.01)
    assert times.best("b") == pytest.approx(0.04)
    assert times.ratio("a", "b").of_minima == pytest.approx(0.25)
    assert times.excess_ratio("a", "b", 0.002).of_minima == pytest.approx(0.2)


def test_a_family_measures_for_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    times = interleave({"a": clock.worker("a", 0.05)}, Effort(1.0, quick=False))
    assert len(times.seconds["a"]) == pytest.approx(20, abs=2)


ROW = Row(
    "`x @ x`, n = 100",
    2e-3,
    [Figure("reference / fastgrad", Ratio(3.0, 3.1), at_least(2)), Figure("fastgrad / bare calls", Ratio(1.25, 1.2))],
    ["a note"],
)


def test_a_row_tells_the_times_of_all_whose_ratio_it_has() -> None:
    assert ROW.size == ("`x @ x`", 100)
    assert ROW.times() == {"fastgrad": 2e-3, "reference": pytest.approx(6e-3), "bare calls": pytest.approx(1.6e-3)}
    assert Row("all of it", 1.0, []).size is None


@pytest.mark.parametrize(
    ("floor", "value", "reached"),
    [(at_least(2), 2.0, True), (at_least(2), 1.9, False), (at_most(2), 2.0, True), (at_most(2), 2.1, False)],
)
def test_a_floor_is_held_against_the_minima(floor: Any, value: float, reached: bool) -> None:
    assert Figure("a", Ratio(value, 99.0), floor).reached is reached
    assert Figure("a", Ratio(value, 99.0)).reached is None


def test_without_floors_nothing_else_changes() -> None:
    bare = ROW.without_floors()
    assert [figure.reached for figure in bare.figures] == [None, None]
    assert (bare.work, bare.times()) == (ROW.work, ROW.times())


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    family = Family("A title", "2026-01-31", machine.software(), 0.5, 1.0, [ROW])
    record = Record(machine.hardware(), {}).with_family("one", family)
    record.write(tmp_path / "record.json")
    data = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert Record.from_data(data).as_data() == record.as_data() == data
    assert record.when == "2026-01-31"


def test_a_newer_family_takes_the_place_of_the_older_and_of_no_other() -> None:
    old, new = (
        Family(title, when, {}, 1.0, None, []) for title, when in (("old", "2026-01-01"), ("new", "2026-02-01"))
    )
    record = Record({}, {"a": old, "b": old}).with_family("a", new)
    assert [family.title for family in record.families.values()] == ["new", "old"]
    assert record.when == "2026-02-01"


def test_tables_for_a_page_and_for_a_terminal() -> None:
    assert markdown("Title", [ROW]).splitlines() == [
        "### Title",
        "",
        "| work | time | reference / fastgrad | fastgrad / bare calls | |",
        "|---|---|---|---|---|",
        "| `x @ x`, n = 100 | 2 ms | **3** (3.1) ≥ 2 ✓ | **1.25** (1.2) | a note |",
    ]
    assert text("Title", [ROW, ROW]).splitlines() == [
        "Title",
        "                   time   reference / fastgrad   fastgrad / bare calls",
        "  x @ x, n = 100   2 ms                3 (3.1)              1.25 (1.2)",
        "  x @ x, n = 100   2 ms                3 (3.1)              1.25 (1.2)",
        "  (a note)",
    ]


def test_a_long_note_of_several_rows_is_said_once() -> None:
    long, short = "a note that is too long to be said in each row again", "uses structure"
    lines = markdown("Title", [Row("a", 1.0, [], [short, long]), Row("b", 1.0, [], [short, long])]).splitlines()
    assert lines[4:] == ["| a | 1 s |  | uses structure |", "| b | 1 s |  | uses structure |", "", f"({long})"]
    assert long in markdown("Title", [Row("a", 1.0, [], [long])]).splitlines()[-1]


def test_numbers_and_times_in_three_digits() -> None:
    assert [number(value) for value in (0.12345, 12.345, 345.6, 1.2e5)] == ["0.123", "12.3", "346", "1.2·10^5"]
    assert [duration(seconds) for seconds in (2.0, 0.0123, 4.5e-6, 7e-9)] == ["2 s", "12.3 ms", "4.5 µs", "7 ns"]


def test_the_machine_has_a_name_for_files_and_a_sentence() -> None:
    here, versions = machine.hardware(), machine.software(("numpy", "no_such_module"))
    assert set(machine.slug(here)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert here["cpu"] in machine.told_hardware(here)
    assert "no_such_module" not in versions
    assert f"NumPy {versions['numpy']}" in machine.told_software(versions)
    assert machine.told_software({**versions, "blas_threads": 1}).endswith("with 1 thread")
    assert machine.told_software({**versions, "blas_threads": 4}).endswith("with 4 threads")
    assert machine.told_software({**versions, "blas_threads": None}).endswith("with its own choice of threads")


def test_curves_are_drawn_of_what_is_measured_at_two_sizes() -> None:
    larger = Row("`x @ x`, n = 1000", 1e-2, [Figure("reference / fastgrad", Ratio(2.0, 2.0))])
    found = picture.curves([larger, ROW, Row("alone, n = 3", 1.0, []), Row("no size", 1.0, [])])
    assert list(found) == ["`x @ x`"]
    assert found["`x @ x`"]["fastgrad"] == picture.Curve([100, 1000], [2e-3, 1e-2])
    assert found["`x @ x`"]["reference"].seconds == pytest.approx([6e-3, 2e-2])
    assert found["`x @ x`"]["bare calls"].n == [100]


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="two sizes or more"):
        picture.draw([ROW], "a title")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "QUICK", TINY)


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any) -> None:
        raise AssertionError("it was measured before it was seen that the command cannot do what is asked")

    monkeypatch.setattr(command, "run", run)


@pytest.mark.usefixtures("tiny")
def test_bench_tells_writes_and_draws_all_families(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("matplotlib")
    file, image = tmp_path / "figures.json", tmp_path / "figures.png"
    assert _cli.main(["bench", "--quick", "--json", str(file), "--plot", str(image)]) == 0
    printed = capsys.readouterr().out
    data = json.loads(file.read_text(encoding="utf-8"))
    assert set(data["machine"]) == {"cpu", "cores", "caches", "system"}
    assert list(data["families"]) == list(command.FAMILIES)
    for family in data["families"].values():
        assert family["title"] in printed
        assert {"fastgrad", "numpy", "python", "blas", "blas_threads"} <= set(family["software"])
        assert len(family["rows"]) >= 2
        for row in family["rows"]:
            assert 0 < row["seconds"] < 60
            assert row["figures"]
            for figure in row["figures"]:
                assert all(math.isfinite(figure[key]) and figure[key] > 0 for key in ("of_minima", "of_rounds"))
                assert figure["name"] in printed
    assert "uses structure" in printed
    assert f"Written: {file}" in printed
    assert image.read_bytes().startswith(b"\x89PNG\r\n")
    assert image.stat().st_size > 20_000


@pytest.mark.usefixtures("tiny")
def test_what_is_not_installed_is_left_out_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "FAMILIES", {name: command.FAMILIES[name] for name in ("outer", "sparse")})
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert _cli.main(["bench", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert "sparse: left out, SciPy is not installed; pip install 'fastgrad[sparse]'." in printed
    assert "outer product" in printed


def test_numpy_is_all_that_it_needs(fresh_python: Callable[..., str]) -> None:
    printed = fresh_python(
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['scipy', 'matplotlib', 'threadpoolctl', 'joblib']))\n"
        "from fastgrad._bench import command, timing\n"
        "record = command.run(timing.Effort(0.0, True, 0.0), lambda text: None)\n"
        "print(*record.families, record.families['outer'].software['blas_threads'])",
        OPENBLAS_NUM_THREADS="3",
    )
    assert printed == "opaque layers outer least_squares 3"


def test_the_package_does_not_load_it(fresh_python: Callable[..., str]) -> None:
    loaded = fresh_python(
        "import sys, fastgrad\nfrom fastgrad import _cli\n_cli.main(['info'])\n"
        "print([name for name in sys.modules if name.startswith('fastgrad._bench')])"
    )
    assert loaded.splitlines()[-1] == "[]"


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--json", "no/such/folder/figures.json"], "cannot be written"),
        (["--json", "."], "cannot be written"),
        (["--plot", "no/such/folder/figures.png"], "cannot be written"),
        (["--plot", "figures.txt"], "must end in .pdf, .png or .svg"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _cli.main(["bench", *arguments]) == 3
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_runs")
def test_a_plot_without_matplotlib_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert _cli.main(["bench", "--plot", "figures.png"]) == 3
    assert 'pip install "fastgrad[plot]"' in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_runs")
def test_the_reference_backend_is_not_compared_with_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fastgrad._backend.NAME", "reference")
    assert _cli.main(["bench"]) == 3
    assert "FASTGRAD_BACKEND=reference" in capsys.readouterr().err
