"""Progress: who is told what and when; and that a check which tells of it is the same check."""

import io
import itertools
import sys
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _progress
from fastgrad._progress import GROWTH, INTERVAL, NEVER, PATIENCE, Progress, progress_of

X = np.linspace(-1.0, 1.0, 50)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that goes on by `clock.tick` seconds each time it is looked at."""

    class Clock:
        now, tick = 100.0, 0.0

        def __call__(self) -> float:
            self.now += self.tick
            return self.now

    clock = Clock()
    monkeypatch.setattr(_progress, "perf_counter", clock)
    return clock


def cubes(x: Any) -> float:
    return float(np.sum(x**3))


def test_a_callable_is_told_of_the_entries_and_of_the_end(clock: Any) -> None:
    clock.tick = INTERVAL
    told: list[tuple[int, int]] = []
    assert fg.gradient_check(cubes, 3 * X**2, X, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (50, 50)
    assert len(told) > 5
    assert all(a < b for (a, _), (b, _) in itertools.pairwise(told))


def test_a_check_too_short_to_be_told_of_is_told_of_at_its_end(clock: Any) -> None:
    told: list[tuple[int, int]] = []
    fg.gradient_check(cubes, 3 * X**2, X, progress=lambda done, total: told.append((done, total)))
    assert told == [(50, 50)]


def test_entries_that_are_looked_at_again_come_on_top(clock: Any) -> None:
    clock.tick = INTERVAL
    told: list[tuple[int, int]] = []
    claim = 3 * X**2
    claim[[3, 4, 5]] += 1.0
    fg.gradient_check(cubes, claim, X, progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {50, 53}
    assert (52, 53) in told
    assert told[-1] == (53, 53)


def test_some_entries_alone_are_the_total(clock: Any) -> None:
    told: list[tuple[int, int]] = []
    fg.gradient_check(cubes, 3 * X**2, X, indices=[4, 7, 9], progress=lambda *args: told.append(args))
    assert told == [(3, 3)]


def test_a_structured_callable_is_told_of_at_its_end() -> None:
    told: list[tuple[int, int]] = []
    loss = fg.losses.LinearLoss(np.eye(3), np.ones(3), loss="sum")
    fg.gradient_check(loss, np.ones((3, 3)), np.eye(3), progress=lambda *args: told.append(args))
    assert told == [(9, 9)]


def test_f_sees_the_same_points_and_the_result_has_the_same_bits(clock: Any) -> None:
    clock.tick = INTERVAL

    def run(progress: Any) -> tuple[list[bytes], str]:
        seen: list[bytes] = []

        def f(x: Any) -> float:
            seen.append(x.tobytes())
            return cubes(x)

        return seen, repr(fg.gradient_check(f, 3 * X**2 + (X > 0.9), X, progress=progress))

    assert run(lambda done, total: None) == run(False)


@pytest.mark.parametrize("error", [RuntimeError("enough"), KeyboardInterrupt()])
def test_what_it_raises_ends_the_check_and_nothing_is_said_of_f(clock: Any, error: BaseException) -> None:
    clock.tick = INTERVAL

    def stop(done: int, total: int) -> None:
        if done > 10:
            raise error

    x = X.copy()
    with pytest.raises(type(error)) as caught:
        fg.gradient_check(cubes, 3 * x**2, x, progress=stop)
    assert not hasattr(caught.value, "__notes__")
    assert np.array_equal(x, X)


def test_the_clock_is_looked_at_seldom(clock: Any) -> None:
    clock.tick = 1e-6
    asked = 0
    progress = Progress(lambda done, total: None)
    progress.begin(10**6)
    due = progress.pace(0)
    while due < 10**6:
        asked += 1
        due = progress.pace(due)
    assert asked <= 2 + np.log(10**6) / np.log(GROWTH)


def test_reports_come_as_often_as_promised(clock: Any) -> None:
    told: list[float] = []
    progress = Progress(lambda done, total: told.append(clock.now))
    progress.begin(10**6)
    due = 0
    for done in range(40_000):  # 10 s of a loop of 4000 entries a second
        clock.now += 1 / 4000
        if done == due:
            due = progress.pace(done)
    gaps = np.diff(told)
    assert told[0] - 100.0 < 4 * INTERVAL
    assert gaps.min() > 0.9 * INTERVAL
    assert gaps.max() < 2.1 * INTERVAL


def test_calls_are_counted_where_nobody_knows_how_many_there_will_be(clock: Any) -> None:
    clock.tick = INTERVAL
    told: list[tuple[int, int]] = []
    with Progress(lambda *now: told.append(now)) as progress:
        f = progress.counting(cubes, 3)
        assert [f(X[:2]) for _ in range(5)] == [cubes(X[:2])] * 5
    assert told == [(1, 3), (2, 3), (3, 4), (4, 5), (5, 6), (5, 5)]
    assert Progress(None).counting(cubes, 3) is cubes


def test_who_asks_for_nothing_costs_nothing() -> None:
    assert progress_of(False, "a check").pace(0) == NEVER
    assert progress_of(None, "a check").pace(0) == NEVER  # pytest's standard error is no terminal


def test_a_terminal_is_told_after_two_seconds_and_wiped(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    clock.tick = 0.9 * PATIENCE / (len(X) + 3)
    fg.gradient_check(cubes, 3 * X**2, X)
    assert terminal.getvalue() == ""
    clock.tick = 2 * PATIENCE / len(X)
    fg.gradient_check(cubes, 3 * X**2, X)
    assert "gradient check: 50 of 50 (100 %)" in terminal.getvalue()
    assert terminal.getvalue().endswith(" \r")


def test_true_is_a_line_of_words_where_tqdm_is_missing(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    clock.tick = INTERVAL
    fg.gradient_check(cubes, 3 * X**2, X, progress=True)
    lines = stream.getvalue().split("\r")
    assert lines[1].startswith("gradient check: ")
    assert lines[-1] == "gradient check: 50 of 50 (100 %)\n"


def test_true_is_tqdm_where_that_is_installed(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    clock.tick = INTERVAL
    claim = 3 * X**2
    claim[3] += 1.0
    fg.gradient_check(cubes, claim, X, progress=True)
    last = stream.getvalue().rstrip().split("\r")[-1]
    assert last.startswith("gradient check: 100%")
    assert "51/51" in last


def test_a_bar_is_closed_when_f_raises(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    clock.tick = INTERVAL
    with pytest.raises(ZeroDivisionError):
        fg.gradient_check(lambda x: 1.0 if x[40] == X[40] else 1 / 0, X, X, progress=True)
    assert stream.getvalue().endswith("\n")


def test_what_is_no_progress_is_refused() -> None:
    with pytest.raises(TypeError, match=r"progress must be None, True, False or a callable .* got 'yes'"):
        fg.gradient_check(cubes, 3 * X**2, X, progress="yes")  # type: ignore[arg-type]
