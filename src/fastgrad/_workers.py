"""Work on several workers: processes, any executor, a map, or a cluster. It knows no derivative."""

import operator
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any
from warnings import catch_warnings, filterwarnings

from fastgrad._errors import missing_extra

#: Spans a worker: more even out workers of unequal speed, and each costs a message to and fro.
SPANS = 4
#: How often a cluster is asked again for what it has lost with a worker.
ATTEMPTS = 3


def is_alone(workers: Any) -> bool:
    """Tell whether all is to be done here, without any workers."""
    return workers is None or (isinstance(workers, int) and not isinstance(workers, bool) and workers == 1)


def count_of(workers: Any) -> int:
    """Return how many tasks the workers do at once; where they do not say, as many as there are processors.

    Raises
    ------
    TypeError, ValueError
        If `workers` is nothing that work can be given to.
    ImportError
        If processes are asked for and joblib is missing.
    """
    if isinstance(workers, bool | str | bytes):
        raise _no_workers(workers)
    if is_number(workers):
        number = operator.index(workers)
        if number < -1 or number == 0:
            raise ValueError(f"workers must be 1 or more, or -1 for one a processor; got {number}.")
        return processors() if number == -1 else number
    if _is_cluster(workers):
        return max(1, sum(int(count) for count in workers.nthreads().values()))
    if not (callable(getattr(workers, "submit", None)) or callable(workers)):
        raise _no_workers(workers)
    for name in ("_max_workers", "num_workers"):
        count = getattr(workers, name, None)
        if isinstance(count, int) and count > 0:
            return count
    return processors()


def is_number(workers: Any) -> bool:
    """Tell whether these workers are given as a number, and not as a truth value."""
    return hasattr(type(workers), "__index__") and not (isinstance(workers, bool) or getattr(workers, "ndim", False))


def processors() -> int:
    """Return how many there are, as far as they can be counted."""
    return os.cpu_count() or 1


def spans(n: int, workers: Any) -> list[tuple[int, int]]:
    """Return where n things are cut into spans [start, stop) for these workers, the longer ones first."""
    pieces = min(n, 1 if is_alone(workers) else SPANS * count_of(workers))
    size, longer = divmod(n, pieces) if pieces else (0, 0)
    ends = [0]
    for k in range(pieces):
        ends.append(ends[-1] + size + (k < longer))
    return list(pairwise(ends))


def in_order(task: Callable[[Any], Any], jobs: Sequence[Any], workers: Any) -> Iterator[Any]:
    """Yield what a task returns for each job, in their order, as the workers get on.

    Parameters
    ----------
    task : callable
        It is sent to each worker, with all that it holds.
    jobs : sequence
        What differs between its calls.
    workers : None, int, callable, executor or dask.distributed.Client
        None and 1 are nobody else; processes of joblib, so that f may be a lambda; a map; what has ``submit``.

    Raises
    ------
    Exception
        The error of the first job, in their order, that has one; what has not begun is then not begun.
    """
    if is_alone(workers):
        yield from map(task, jobs)
    elif is_number(workers):
        yield from _processes(task, jobs, count_of(workers))
    elif _is_cluster(workers):
        yield from _cluster(task, jobs, workers)
    elif callable(getattr(workers, "submit", None)):
        yield from _results([workers.submit(task, job) for job in jobs])
    else:
        yield from workers(task, jobs)


def _processes(task: Callable[[Any], Any], jobs: Sequence[Any], count: int) -> Iterator[Any]:
    try:
        from joblib import Parallel, delayed
    except ImportError as error:
        raise missing_extra("workers as a number of processes", "joblib", "parallel") from error
    done = Parallel(n_jobs=count, return_as="generator")(delayed(_outcome)(task, job) for job in jobs)
    try:
        for value, raised, traceback in done:
            if raised is not None:
                raise raised from ElsewhereError(traceback)
            yield value
    finally:
        with catch_warnings():  # that work was done in vain after an error is no news
            filterwarnings("ignore", r".*tasks .*(executed|processed)", UserWarning)
            done.close()


class ElsewhereError(Exception):
    """Where an error arose in another process, as the text that Python prints there."""


def _outcome(task: Callable[[Any], Any], job: Any) -> tuple[Any, Exception | None, str]:
    """Return what a task returns or raises: joblib would let the first error in time arrive, not the first in order."""
    try:
        return task(job), None, ""
    except Exception as error:
        from traceback import format_exc  # loaded where it is needed: import fastgrad does without

        return None, error, format_exc()


def _results(futures: list[Any]) -> Iterator[Any]:
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _is_cluster(workers: Any) -> bool:
    """Tell whether workers is a client of dask.distributed, which whoever has one has loaded."""
    return any(kind.__module__.partition(".")[0] == "distributed" for kind in type(workers).__mro__)


def _cluster(task: Callable[[Any], Any], jobs: Sequence[Any], client: Any) -> Iterator[Any]:
    """Send the task to all workers once, and the jobs as tasks; ask again for what is lost with a worker.

    The cluster itself does again what was done on a worker that died. What it cannot do again is to send the task that
    had been sent from here, if every worker that held it is gone. Jobs wait until there is a worker, however long, and
    a cluster that grows with its work starts one for them; what is sent waits some seconds only, and is no work.
    """
    if client.asynchronous:
        raise TypeError("workers must be a Client that waits for its results: make it without asynchronous=True.")
    from concurrent.futures import CancelledError

    todo = list(range(len(jobs)))
    for attempt in range(ATTEMPTS):
        client.submit(int, pure=False).result()  # as soon as there is a worker
        sent = client.scatter(task, broadcast=True, hash=False)
        futures = {k: client.submit(_run, sent, jobs[k], pure=False) for k in todo}
        try:
            for k in list(todo):
                yield futures[k].result()
                todo.remove(k)
            return
        except CancelledError:
            if attempt == ATTEMPTS - 1:
                raise
        finally:
            client.cancel(list(futures.values()))


def _run(task: Callable[[Any], Any], job: Any) -> Any:
    return task(job)


def _no_workers(given: Any) -> TypeError:
    return TypeError(
        "workers must be a number of processes, a map, an executor, or a dask.distributed.Client; "
        f"got {given!r} ({type(given).__name__})."
    )
