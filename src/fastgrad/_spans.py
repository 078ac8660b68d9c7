"""Entries measured a span at a time, so that Ctrl-C is heard between; on several threads where that pays."""

from _thread import LockType, allocate_lock
from collections.abc import Callable, Iterator
from time import perf_counter

from fastgrad._threads import start as start_new_thread
from fastgrad._typing import Pace, Run

#: Seconds between two looks for Ctrl-C: a span ends when so much time has passed, however long the entries take.
SPAN = 0.025
#: Seconds for which one thread measures alone, to see how long an entry takes, before others are asked.
TRIAL = 1e-5
#: Seconds of work that must be left for other threads to be started: two broke even with one at 0.4 ms of computing and
#: at 1 ms of writing, for another may take as long to start and to wake.
WORTH = 1e-3
#: Seconds of work in the least piece that a thread takes. The first are large, so that there are few; the last are
#: small, so that all threads end at about the same time.
GRAIN = 3e-5


def sweep(new_run: Callable[[], Run], n: int, pace: Pace | None, threads: int) -> bool:
    """Have all n entries measured; return False as soon as a run has returned -1.

    Parameters
    ----------
    new_run : callable
        Returns a run with buffers of its own: one is made for each thread.
    n : int
        How many entries there are.
    pace : callable or None
        Told how many entries are done; returns how many shall be when it is to be told again.
    threads : int
        How many may work at once. What is measured does not depend on it.
    """
    run = new_run()
    done = due = 0
    begun = perf_counter() if threads > 1 else 0.0
    while done < n:
        if pace is not None and done >= due:
            due = pace(done)
        done = run(done, n, TRIAL if threads > 1 and done == 0 else SPAN)
        if done < 0:
            return False
        if threads > 1 and n - done > 1:
            cost = (perf_counter() - begun) / done
            if cost * (n - done) > WORTH:
                return _Team(_pieces(done, n, threads, cost)).works(new_run, min(threads, n - done) - 1, run, pace)
    return True


def _pieces(start: int, stop: int, threads: int, cost: float) -> Iterator[tuple[int, int]]:
    """Yield the entries in pieces, each most of a thread's share in what is left, where an entry costs so much."""
    least = max(1, min(int(GRAIN / cost), stop - start)) if cost > 0 else 1
    while start < stop:
        most = 3 * (stop - start) // (4 * threads)
        end = start + most if most > least else min(start + least, stop)
        yield start, end
        start = end


class _Team:
    """Threads that take pieces of the entries, one after another, until none is left."""

    def __init__(self, pieces: Iterator[tuple[int, int]]) -> None:
        self._pieces = [*pieces][::-1]
        self._at_work: list[LockType] = []
        self._is_stopped = False
        self._goes_on = True
        self._error: BaseException | None = None

    def works(self, new_run: Callable[[], Run], helpers: int, run: Run, pace: Pace | None) -> bool:
        """Return whether all pieces could be measured, by so many other threads and, with this run, by this one.

        The others are called as late as this thread is ready to begin: when they wake it is at work, and has given up
        the interpreter. It does not wait for one that wakes when nothing is left.
        """
        try:
            piece = self._take()
            for _ in range(helpers):
                start_new_thread(self._thread, (new_run,))
            self._work(run, pace, piece)
            self._wait()
        except BaseException:  # Ctrl-C, as a rule: nobody may write into the result any more when it arrives
            self._is_stopped = True
            self._wait()
            raise
        if self._error is not None:
            raise self._error
        return self._goes_on

    def _wait(self) -> None:
        """Wait until nobody else is at work; Ctrl-C may end it anywhere, and it may be called again."""
        while self._at_work:
            for lock in tuple(self._at_work):
                lock.acquire()

    def _thread(self, new_run: Callable[[], Run]) -> None:
        lock = allocate_lock()
        lock.acquire()
        self._at_work.append(lock)  # before it takes a piece, so that no piece is in the hands of one not waited for
        try:
            piece = self._take()
            if piece is not None:
                self._work(new_run(), None, piece)
        except BaseException as error:
            self._error, self._is_stopped = error, True
        finally:
            self._at_work.remove(lock)
            lock.release()

    def _take(self) -> tuple[int, int] | None:
        """Return the next piece, if one is left."""
        try:
            return None if self._is_stopped else self._pieces.pop()
        except IndexError:
            return None

    def _work(self, run: Run, pace: Pace | None, piece: tuple[int, int] | None) -> None:
        due = 0
        while piece is not None:
            start, stop = piece
            while start < stop and not self._is_stopped:
                if pace is not None and start >= due:
                    due = pace(start)
                start = run(start, stop, SPAN)
                if start < 0:
                    self._goes_on, self._is_stopped = False, True
                    return
            piece = self._take()
