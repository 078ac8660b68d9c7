"""Native callables: x stays as it was, whatever f writes; Ctrl-C is heard; threads change no bit; calls are counted."""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _backend, _spans, cython_api
from fastgrad._typing import Run

ROSENBROCK = fg.native.function(cython_api.__pyx_capi__["rosenbrock"])


def honest(x: Any) -> float:
    return ROSENBROCK(x)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("n", [1, 2, 5, 300])
def test_f_may_write_into_its_argument(
    native: Callable[..., Any], rng: np.random.Generator, n: int, workers: int
) -> None:
    x = rng.standard_normal(n)
    before = x.copy()
    f = fg.native.function(native("writes_last"))
    assert fg.numerical_gradient(f, x, workers=workers).tobytes() == fg.numerical_gradient(honest, x).tobytes()
    g, h = (
        fg.native.vector_function(native(name, "ppnnd", is_void=True), n) for name in ("writes_vector", "tridiagonal")
    )
    assert fg.numerical_jacobian(g, x, workers=workers).tobytes() == fg.numerical_jacobian(h, x).tobytes()
    assert x.tobytes() == before.tobytes()


@pytest.mark.parametrize("at", [1, 2, 9, 30, 59, 60])
def test_writing_once_at_any_call_is_seen(native: Callable[..., Any], rng: np.random.Generator, at: int) -> None:
    x = rng.standard_normal(30)
    count = np.array([at], np.intp)
    f = fg.native.function(native("writes_once"), data=count)
    assert fg.numerical_gradient(f, x).tobytes() == fg.numerical_gradient(honest, x).tobytes()
    assert count[0] <= at - 60


@pytest.mark.parametrize("n", [2, 30, 700])
@pytest.mark.parametrize("where", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("options", [{}, {"order": 4}])
def test_writing_and_taking_it_back_is_seen(
    native: Callable[..., Any], rng: np.random.Generator, n: int, where: float, options: dict[str, Any]
) -> None:
    x = rng.standard_normal(n)
    data = np.array([0, int(where * (n - 1))], np.intp)
    f = fg.native.function(native("writes_and_takes_back"), data=data)
    expected = fg.numerical_gradient(honest, x, **options)
    assert fg.numerical_gradient(f, x, **options).tobytes() == expected.tobytes()


def test_calls_are_two_an_entry_and_one_at_x_where_the_stencil_has_it(native: Callable[..., Any]) -> None:
    count = np.zeros(1, np.intp)
    f = fg.native.function(native("counted"), data=count)
    fg.numerical_gradient(f, np.ones(7))
    assert count[0] == 14
    fg.numerical_gradient(f, np.ones(7), method="forward", order=1)
    assert count[0] == 14 + 8
    assert fg.gradient_check(f, np.zeros(7), np.ones(7)).calls == 14


@pytest.mark.parametrize("workers", [2, 3, 7])
def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, workers: int) -> None:
    monkeypatch.setattr(_spans, "WORTH", 0.0)  # however little there is to do
    monkeypatch.setattr(_spans, "TRIAL", 0.0)
    started = []
    start = _thread.start_new_thread
    monkeypatch.setattr(_spans, "start_new_thread", lambda *given: started.append(start(*given)))
    for n in (2, 3, 50, 1001):
        x = rng.standard_normal(n)
        assert (
            fg.numerical_gradient(ROSENBROCK, x, workers=workers).tobytes()
            == fg.numerical_gradient(ROSENBROCK, x).tobytes()
        )
        f = fg.native.vector_function(cython_api.__pyx_capi__["broyden"], n)
        J = fg.numerical_jacobian(f, x, order=4, workers=workers)
        assert J.tobytes() == fg.numerical_jacobian(f, x, order=4).tobytes()
    assert len(started) >= workers - 1 or _backend.NAME == "reference"  # the plain twin does all in its first span


@pytest.mark.parametrize("cost", [0.0, 1e-9, 1e-6, 1.0])
@pytest.mark.parametrize(("start", "stop", "threads"), [(0, 1, 2), (3, 1000, 2), (10, 10**6, 7), (5, 8, 4)])
def test_pieces_cover_all_entries_in_order_and_none_is_a_thread_s_whole_share(
    start: int, stop: int, threads: int, cost: float
) -> None:
    pieces = list(_spans._pieces(start, stop, threads, cost))
    ends = [start, *(end for _, end in pieces)]
    assert [first for first, _ in pieces] == ends[:-1]
    assert ends[-1] == stop
    sizes = np.diff(ends)
    assert sizes.min() >= 1
    assert np.all(np.diff(sizes) <= 0)
    if cost * (stop - start) > _spans.WORTH:
        least = max(1, int(_spans.GRAIN / cost))
        assert sizes.max() <= max(least, 3 * (stop - start) / (4 * threads))


def test_little_work_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spans, "start_new_thread", lambda *given: pytest.fail("a thread for microseconds"))
    fg.numerical_gradient(ROSENBROCK, np.ones(3), workers=2)


def test_a_thread_that_wakes_when_all_is_done_is_not_waited_for_and_measures_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late: list[Callable[[], Any]] = []
    monkeypatch.setattr(_spans, "start_new_thread", lambda task, given: late.append(lambda: task(*given)))
    seen: list[tuple[int, int]] = []

    def run(start: int, stop: int, seconds: float) -> int:
        seen.append((start, stop))
        time.sleep(0.002)
        return min(start + 1, stop) if start == 0 else stop

    assert _spans.sweep(lambda: run, 50, lambda done: sys.maxsize, 3)
    measured = list(seen)
    assert len(late) == 2
    for task in late:
        task()
    assert seen == measured
    assert measured[-1][1] == 50


def test_an_error_in_a_thread_arrives() -> None:
    def new_run() -> Run:
        def run(start: int, stop: int, seconds: float) -> int:
            if threading.current_thread() is not threading.main_thread():
                raise MemoryError("in a thread")
            time.sleep(0.002)
            return start + 1

        return run

    with pytest.raises(MemoryError, match="in a thread"):
        _spans.sweep(new_run, 200, lambda done: sys.maxsize, 2)


def test_ctrl_c_while_a_thread_is_waited_for_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where it comes as the wait has just ended: who waits again must not wait for a lock of its own."""
    here = threading.main_thread()
    ended: list[int] = []

    class Lock:
        def __init__(self) -> None:
            self.lock, self.is_mine = _thread.allocate_lock(), False

        def acquire(self) -> None:
            assert not self.is_mine
            self.lock.acquire()
            if threading.current_thread() is here:
                self.is_mine = True
                raise KeyboardInterrupt

        def release(self) -> None:
            self.lock.release()

    def run(start: int, stop: int, seconds: float) -> int:
        if threading.current_thread() is here:
            time.sleep(0.005)
            return start + 1 if start == 0 else stop
        time.sleep(0.2)
        ended.append(stop)
        return stop

    monkeypatch.setattr(_spans, "allocate_lock", Lock)
    with pytest.raises(KeyboardInterrupt):
        _spans.sweep(lambda: run, 50, None, 2)
    assert ended  # it was waited for


@pytest.mark.skipif(sys.platform == "win32", reason="there is no setitimer")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_is_heard_between_spans(native: Callable[..., Any], workers: int) -> None:
    """20 000 calls of 2 ms would last 40 s."""
    f = fg.native.function(native("slow"))
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    out = np.zeros(10_000)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            fg.numerical_gradient(f, np.ones(10_000), out=out, workers=workers)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    left = out.copy()
    time.sleep(0.02)
    assert out.tobytes() == left.tobytes()  # no thread goes on
    assert np.count_nonzero(out == 0) > 5_000


def test_two_python_threads_may_measure_at_once(rng: np.random.Generator) -> None:
    x = rng.standard_normal(400)
    expected = fg.numerical_gradient(ROSENBROCK, x).tobytes()
    seen: list[bool] = []

    def measure() -> None:
        seen.extend(fg.numerical_gradient(ROSENBROCK, x, workers=2).tobytes() == expected for _ in range(20))

    threads = [threading.Thread(target=measure) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 60


def test_a_check_tells_its_progress_and_may_be_ended_so() -> None:
    told: list[int] = []
    fg.gradient_check(ROSENBROCK, fg.numerical_gradient(ROSENBROCK, np.ones(4)), np.ones(4),
                      progress=lambda done, total: told.append(done))  # fmt: skip
    assert told
