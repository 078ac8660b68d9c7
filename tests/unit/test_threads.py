"""Threads that wait a moment for more to do: called again, they hold nothing meanwhile, and end when nothing comes."""

import _thread
import gc
import os
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _spans, _threads, cython_api


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, which takes milliseconds."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let those that wait for others' sake end, and let those that these tests call wait long; none is left behind."""
    until(lambda: not _threads._waiting)
    before = _thread._count()
    monkeypatch.setattr(_threads, "PATIENCE", 0.3)
    yield
    until(lambda: not _threads._waiting and _thread._count() <= before)


def test_one_that_waits_is_called_again() -> None:
    ran: list[tuple[int, str]] = []
    for word in ("first", "second", "third"):
        _threads.start(lambda given: ran.append((_thread.get_ident(), given)), (word,))
        until(lambda: len(_threads._waiting) == 1)
    assert [word for _, word in ran] == ["first", "second", "third"]
    assert len({ident for ident, _ in ran}) == 1


def test_several_work_at_once() -> None:
    go, ran = _thread.allocate_lock(), []
    go.acquire()

    def task(k: int) -> None:
        with go:
            ran.append(k)

    for k in range(3):
        _threads.start(task, (k,))
    assert not _threads._waiting
    go.release()
    until(lambda: len(_threads._waiting) == 3)
    assert sorted(ran) == [0, 1, 2]


def test_it_holds_nothing_while_it_waits() -> None:
    class Given:
        pass

    given = Given()
    seen = weakref.ref(given)
    _threads.start(lambda thing: None, (given,))
    until(lambda: len(_threads._waiting) == 1)
    del given
    gc.collect()
    assert seen() is None


def test_it_ends_when_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "PATIENCE", 0.01)
    before = _thread._count()
    _threads.start(lambda: None, ())
    until(lambda: not _threads._waiting and _thread._count() == before)
    ran: list[int] = []
    _threads.start(lambda: ran.append(1), ())
    until(lambda: ran == [1])


def test_it_ends_when_it_is_taken_and_never_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "PATIENCE", 0.01)
    before = _thread._count()
    _threads.start(lambda: None, ())
    until(lambda: len(_threads._waiting) == 1)
    taken = _threads._waiting.pop()
    until(lambda: _thread._count() == before)
    assert taken.bell.locked()


def test_one_that_is_called_at_the_last_moment_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "PATIENCE", 0.2)
    ran: list[int] = []
    _threads.start(lambda: None, ())
    until(lambda: len(_threads._waiting) == 1)
    taken = _threads._waiting.pop()
    time.sleep(0.25)  # its patience is at an end, and it sees that it has been taken
    taken.task, taken.given = ran.append, (1,)
    taken.bell.release()
    until(lambda: ran == [1])


def test_gradients_one_after_another_start_one_thread(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr(_spans, "WORTH", 0.0)
    started: list[Any] = []
    start = _thread.start_new_thread
    monkeypatch.setattr(_threads, "start_new_thread", lambda *given: started.append(start(*given)))
    f = fg.native.function(cython_api.__pyx_capi__["rosenbrock"])
    x = rng.standard_normal(600)
    expected = fg.numerical_gradient(f, x).tobytes()
    for _ in range(20):
        assert fg.numerical_gradient(f, x, workers=2).tobytes() == expected
        until(lambda: len(_threads._waiting) == len(started))
    assert len(started) <= 1  # none, where the plain twin does all in its first span


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_starts_its_own(fresh_python: Callable[..., str]) -> None:
    code = """
import os, time, warnings
from fastgrad import _threads
warnings.simplefilter("ignore")  # that a process with threads forks
_threads.PATIENCE, ran = 10, []
_threads.start(ran.append, (1,))
while not _threads._waiting:
    time.sleep(0.001)
child = os.fork()
if child == 0:
    assert not _threads._waiting
    _threads.start(ran.append, (2,))
    while ran != [1, 2]:
        time.sleep(0.001)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0 and len(_threads._waiting) == 1
print("done")
"""
    assert fresh_python(code).strip() == "done"
