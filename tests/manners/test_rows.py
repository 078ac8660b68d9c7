"""Structured callables by rows: threads and spans change no bit, Ctrl-C is heard, errors arrive, any class may."""

import signal
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _backend, _gradient, _rows, _spans
from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

R = np.random.default_rng(3)
SAMPLES, V = R.standard_normal((4, 30)), R.standard_normal((4, 20))
LOSSES = [V, SquaredError(V), CrossEntropy(np.abs(V))]
NAMES = ["linear", "squared", "entropy"]


def case(wrt: str, loss: Any, dtype: Any) -> tuple[Any, Any]:
    """Return a loss and where it is to be differentiated."""
    W1, W2, b = (a.astype(dtype) for a in (R.standard_normal((25, 30)), R.standard_normal((20, 25)), np.ones(20)))
    x = SAMPLES.astype(dtype)
    if wrt in ("W", "b", "x"):
        W = (W2 @ W1).astype(dtype)
        return LinearLoss(W, x, b, loss=loss, wrt=wrt), {"W": W, "b": b, "x": x}[wrt]  # type: ignore[arg-type]
    return TwoLayerLoss((W1, W2), x, loss=loss, wrt=wrt), {"W1": W1, "W2": W2}[wrt]  # type: ignore[arg-type]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The threads that are started: for any work at all, and for a few rows each."""
    threads: list[Any] = []

    def start(target: Any, given: Any) -> Any:
        threads.append(target)
        return threading.Thread(target=target, args=given).start()

    monkeypatch.setattr(_spans, "start_new_thread", start)
    monkeypatch.setattr(_spans, "WORTH", 0.0)
    monkeypatch.setattr(_spans, "TRIAL", 0.0)
    monkeypatch.setattr(_rows, "TOGETHER", 60)
    return threads


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("wrt", ["W", "b", "x", "W1", "W2"])
@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("threads", [2, 3])
def test_the_bits_do_not_depend_on_the_threads(
    threads: int, loss: Any, wrt: str, dtype: Any, started: list[Any]
) -> None:
    f, at = case(wrt, loss, dtype)
    alone = fg.numerical_gradient(f, at)
    for eps in (None, np.full(at.shape, 2.0**-9)):
        expected = fg.numerical_gradient(f, at, eps)
        assert fg.numerical_gradient(f, at, eps, workers=threads).tobytes() == expected.tobytes()
    found = fg.numerical_gradient(f, at, workers=threads, details=True)
    assert found.value.tobytes() == alone.tobytes()
    assert str(found) == str(fg.numerical_gradient(f, at, details=True))
    assert len(started) > 0 or wrt in ("b", "x")


@pytest.mark.parametrize("loss", LOSSES, ids=NAMES)
@pytest.mark.parametrize("wrt", ["W", "W1", "W2"])
def test_checks_do_not_depend_on_the_threads(wrt: str, loss: Any, started: list[Any]) -> None:
    f, at = case(wrt, loss, np.float64)
    claim = fg.numerical_gradient(f, at)
    wrong = claim.copy()
    wrong[3, 4] += 1
    undefined = claim.copy()
    undefined[7, 1] = undefined[2, 2] = np.nan
    for claimed, verdict in ((claim, "passed"), (wrong, "failed"), (undefined, "failed")):
        alone = fg.gradient_check(f, claimed, at)
        assert alone.verdict == verdict
        assert fg.gradient_check(f, claimed, at, workers=3).to_json() == alone.to_json()
    assert started


@pytest.mark.parametrize("claim_at", [(0, 0), (7, 11), (19, 29)])
def test_spans_find_what_one_look_finds(claim_at: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    f, W = case("W", LOSSES[1], np.float64)
    claim = fg.numerical_gradient(f, W)
    claim[claim_at] += 0.5
    claim[5, 5] *= 1 + 1e-7
    whole = fg.gradient_check(f, claim, W)
    monkeypatch.setattr(_rows, "TOGETHER", 90)
    spans = fg.gradient_check(f, claim, W)
    assert spans.to_json() == whole.to_json()
    assert spans.wrong.indices.tolist() == [claim_at[0] * 30 + claim_at[1]]


class Cubes:
    """Σ x³ by rows, in plain NumPy: what any class can do."""

    def __init__(self, pause: float = 0.0, error: Exception | None = None) -> None:
        self.pause, self.error = pause, error
        self.spans: list[tuple[int, int]] = []

    def __call__(self, x: Any) -> float:
        return float(np.sum(x**3))

    def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
        return int(self.__fastgrad_rows__(x, h)(0, len(x), out))

    def __fastgrad_rows__(self, x: Any, h: Any) -> Any:
        def rows(first: int, last: int, out: Any) -> int:
            self.spans.append((first, last))
            time.sleep(self.pause)
            if self.error is not None and first >= len(x) // 2:
                raise self.error
            step = h if h.size == 1 else h.reshape(x.shape)[first:last]
            out[...] = ((x[first:last] + step) ** 3 - (x[first:last] - step) ** 3) / (2 * step)
            return int(2 * out.size)

        return rows


@pytest.mark.parametrize("shape", [(7,), (50, 3), (4, 5, 6), (1, 1)])
def test_any_class_may_measure_by_rows(shape: tuple[int, ...], started: list[Any]) -> None:
    x = R.standard_normal(shape)
    alone = fg.numerical_gradient(Cubes(), x)
    assert fg.numerical_gradient(Cubes(), x, workers=3).tobytes() == alone.tobytes()
    check = fg.gradient_check(Cubes(), 3 * x**2, x, workers=2)
    assert check.passed
    assert check.calls == fg.gradient_check(Cubes(), 3 * x**2, x).calls


def test_a_class_without_rows_measures_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Whole:
        def __call__(self, x: Any) -> float:
            return float(np.sum(x))

        def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
            out[...] = 1.0
            return int(2 * out.size)

    monkeypatch.setattr(_spans, "start_new_thread", lambda *given: pytest.fail("a thread for one piece of work"))
    assert fg.numerical_gradient(Whole(), np.ones((2, 3)), workers=2).tolist() == [[1.0] * 3] * 2
    assert fg.gradient_check(Whole(), np.ones((2, 3)), np.ones((2, 3)), workers=2).passed


def test_a_new_result_is_measured_in_pieces_where_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same bits; an array that was given is measured at once."""
    monkeypatch.setattr(_gradient, "LARGE", 400)
    monkeypatch.setattr(_rows, "TOGETHER", 9)
    x, new, given, few = np.arange(60.0).reshape(20, 3), Cubes(), Cubes(), Cubes()
    out = np.empty_like(x)
    fg.numerical_gradient(given, x, out=out)
    assert fg.numerical_gradient(new, x).tobytes() == out.tobytes()
    assert fg.numerical_gradient(few, x[:2]).tobytes() == out[:2].tobytes()
    assert (len(new.spans), len(given.spans), len(few.spans)) == (7, 1, 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_row_arrives(workers: int, started: list[Any]) -> None:
    x = np.ones((40, 60))
    with pytest.raises(OSError, match="full"):
        fg.gradient_check(Cubes(error=OSError("full")), 3 * x**2, x, workers=workers)


def test_little_work_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spans, "start_new_thread", lambda *given: pytest.fail("a thread for microseconds"))
    f, W = case("W", V, np.float64)
    fg.numerical_gradient(f, W, workers=2)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no setitimer")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_is_heard_between_spans(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """2000 rows of 10 ms would last 20 s on one thread."""
    monkeypatch.setattr(_rows, "TOGETHER", 3)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    x = np.ones((2000, 3))
    began = threading.active_count()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            fg.gradient_check(Cubes(pause=0.01), 3 * x**2, x, workers=workers)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert threading.active_count() == began


@pytest.mark.skipif(_backend.NAME == "reference", reason="the plain twin holds the lock throughout")
def test_two_python_threads_may_measure_at_once() -> None:
    f, W = case("W1", LOSSES[2], np.float64)
    expected = fg.numerical_gradient(f, W).tobytes()
    seen: list[bool] = []

    def measure() -> None:
        seen.extend(fg.numerical_gradient(f, W, workers=2).tobytes() == expected for _ in range(20))

    threads = [threading.Thread(target=measure) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 60
    assert all(seen)
