"""workers=: the same bits from processes, executors, maps and clusters; exceptions with their notes; sentences."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import fastgrad as fg
from fastgrad import _workers

OPTIONS: list[dict[str, Any]] = [
    {},
    {"eps": "auto"},
    {"eps": "noise"},
    {"order": 4},
    {"method": "forward"},
    {"method": "adaptive"},
    {"method": "complex"},
    {"details": True},
    {"vectorized": True},
]


def cubes(x: Any) -> Any:
    """Return Σ x³ of one point: a function that can be pickled by its name."""
    return np.sum(x * x * x)


def many_cubes(stack: Any) -> Any:
    return np.array([cubes(x) for x in stack])


def waves(x: Any) -> Any:
    return np.multiply.outer(np.sin(x), [1.0, 2.0])


def many_waves(stack: Any) -> Any:
    return np.stack([waves(x) for x in stack])


def bits(found: Any) -> Any:
    if isinstance(found, fg.Derivative):
        flags = {name: mask.tobytes() for name, mask in found.flags.items()}
        return found.value.tobytes(), found.error.tobytes(), found.step.tobytes(), flags, found.value.shape
    return found.tobytes(), found.shape, found.dtype


@pytest.fixture(scope="module", params=[1, 2, 5])
def threads(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with ThreadPoolExecutor(request.param) as pool:
        yield pool


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    import multiprocessing

    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (9,), (3, 4)], ids=str)
def test_any_number_of_workers_gives_the_same_bits(
    threads: Executor, shape: tuple[int, ...], options: dict[str, Any], rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape)
    f = many_cubes if options.get("vectorized") else cubes
    g = many_waves if options.get("vectorized") else waves
    expected, found = fg.numerical_gradient(f, x, **options), fg.numerical_gradient(f, x, workers=threads, **options)
    assert bits(found) == bits(expected)
    J, of_workers = fg.numerical_jacobian(g, x, **options), fg.numerical_jacobian(g, x, workers=threads, **options)
    assert bits(of_workers) == bits(J)


def test_steps_and_bounds_go_with_their_entries(threads: Executor, rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 5))
    eps = rng.uniform(1e-6, 1e-4, size=x.shape)
    bounds = (np.where(rng.random(x.shape) < 0.4, x, -np.inf), x + 1.0)
    expected = fg.numerical_gradient(cubes, x, eps, bounds=bounds)
    inside: list[bool] = []

    def f(p: Any) -> Any:
        inside.append(bool(np.all((bounds[0] <= p) & (p <= bounds[1]))))
        return cubes(p)

    assert bits(fg.numerical_gradient(f, x, eps, bounds=bounds, workers=threads)) == bits(expected)
    assert all(inside)


def test_trees_arguments_and_out() -> None:
    x = {"a": np.arange(6.0).reshape(2, 3), "b": 2.0}
    f = lambda t, k, *, c: k * np.sum(t["a"] ** 2) * t["b"] + c  # noqa: E731
    alone = fg.numerical_gradient(f, x, args=(3.0,), kwargs={"c": 1.0})
    shared = fg.numerical_gradient(f, x, args=(3.0,), kwargs={"c": 1.0}, workers=map)
    assert alone["a"].tobytes() == shared["a"].tobytes()
    assert alone["b"] == shared["b"]
    out = np.empty(3)
    assert fg.numerical_gradient(cubes, np.ones(3), out=out, workers=map) is out
    np.testing.assert_allclose(out, 3.0)


def test_complex_points() -> None:
    z = np.array([1.0 + 2.0j, -0.5j, 3.0])
    assert bits(fg.numerical_gradient(cubes, z, workers=map)) == bits(fg.numerical_gradient(cubes, z))


def test_processes_of_joblib_take_lambdas(rng: np.random.Generator) -> None:
    pytest.importorskip("joblib")
    x, home = rng.normal(size=11), os.getpid()
    found = fg.numerical_jacobian(lambda p: np.array([p @ p, float(os.getpid() != home)]), x, workers=2)
    np.testing.assert_allclose(found[0], 2 * x, atol=1e-8)
    values = fg.numerical_gradient(lambda p: p[0] * (os.getpid() != home), np.ones(4), workers=2)
    np.testing.assert_allclose(values, [1.0, 0.0, 0.0, 0.0], atol=1e-9)  # elsewhere, all of it


def test_executors_of_processes_take_what_can_be_pickled(processes: Executor, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3))
    assert bits(fg.numerical_gradient(cubes, x, workers=processes)) == bits(fg.numerical_gradient(cubes, x))
    tree = {"a": x, "b": 1.0}
    found = fg.numerical_gradient(_of_tree, tree, workers=processes, args=(2.0,))
    assert found["a"].tobytes() == fg.numerical_gradient(_of_tree, tree, args=(2.0,))["a"].tobytes()


def _of_tree(t: Any, k: float) -> Any:
    return k * np.sum(t["a"] ** 2) * t["b"]


@pytest.mark.parametrize("make", [lambda pool: pool.map, lambda pool: pool.imap])
def test_any_map_will_do(make: Callable[[Any], Any], rng: np.random.Generator) -> None:
    x = rng.normal(size=13)
    with ThreadPool(3) as pool:
        assert bits(fg.numerical_gradient(cubes, x, workers=make(pool))) == bits(fg.numerical_gradient(cubes, x))


def test_one_worker_is_nobody_else() -> None:
    here: list[int] = []
    fg.numerical_gradient(lambda p: here.append(1) or p.sum(), np.ones(3), workers=1)  # type: ignore[func-returns-value]
    assert len(here) == 6


def test_checks_judge_alike_with_workers(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    claim = 3 * x**2
    claim[1, 2] += 1e-3
    alone = fg.gradient_check(cubes, claim, x)
    for workers in (map, 2):
        assert str(fg.gradient_check(cubes, claim, x, workers=workers)) == str(alone)
    done: list[tuple[int, int]] = []
    check = fg.gradient_check(cubes, claim, x, workers=map, indices=[0, 6, 3], progress=lambda *at: done.append(at))
    assert check.wrong.indices.tolist() == [6]
    assert done[-1][0] == done[-1][1]
    assert fg.gradient_check(lambda p: (cubes(p), 3 * p**2), True, x, workers=map).passed
    assert fg.gradient_check(cubes, np.empty(0), np.empty(0), workers=map).passed
    J = fg.numerical_jacobian(waves, x)
    assert fg.jacobian_check(waves, J, x, workers=map).passed
    assert str(fg.jacobian_check(waves, 2 * J, x, workers=map)) == str(fg.jacobian_check(waves, 2 * J, x))


def test_the_second_look_begins_with_calls_that_workers_make(rng: np.random.Generator) -> None:
    x, here = rng.normal(size=8), threading.get_ident()
    mine: list[int] = []

    def told(f: Any) -> Any:
        def called(p: Any) -> Any:
            if threading.get_ident() == here:
                mine.append(1)
            return f(p)

        return called

    J = fg.numerical_jacobian(waves, x).reshape(16, 8)
    cases: list[Any] = [
        lambda f, **how: fg.gradient_check(f(cubes), 6 * x**2, x, **how),
        lambda f, **how: fg.jacobian_check(f(waves), 2 * J, x, **how),
        lambda f, **how: fg.jacobian_check(f(waves), sparse.csr_array(2 * J), x, **how),
        lambda f, **how: fg.hessian_check(None, np.diag(12 * x), x, grad=f(lambda p: 3 * p**2), **how),
    ]
    for case in cases:
        alone = case(lambda f: f)
        mine.clear()
        with ThreadPoolExecutor(2) as pool:
            shared = case(told, workers=pool)
        assert str(shared) == str(alone)
        assert 0 < len(mine) <= alone.calls / 3


@pytest.mark.parametrize("workers", [map, 2, "threads"])
def test_the_first_exception_arrives_with_its_note(workers: Any) -> None:
    def f(x: Any) -> Any:
        if x[3] > 0 or x[7] > 0:
            raise LookupError("no such place")
        return x.sum()

    with ThreadPoolExecutor(2) as pool, pytest.raises(LookupError, match="no such place") as caught:
        fg.numerical_gradient(f, np.zeros(9), workers=pool if workers == "threads" else workers)
    assert caught.value.__notes__ == ["fastgrad: f raised this when called at x[3] plus its step."]


def test_what_has_not_begun_is_not_begun_after_an_exception() -> None:
    begun: list[int] = []

    def f(x: Any) -> Any:
        begun.append(1)
        raise LookupError

    with ThreadPoolExecutor(1) as pool, pytest.raises(LookupError):
        fg.numerical_gradient(f, np.zeros(100), workers=pool)
    assert len(begun) <= 2 * _workers.SPANS


def test_errors_of_values_and_steps_name_the_entry() -> None:
    with pytest.raises(fg.StepError, match=r"x\[1, 1\]"):
        fg.numerical_gradient(cubes, np.array([[1.0, 2.0], [3.0, 1e20]]), workers=map)
    with pytest.raises(TypeError, match=r"x\[0\] plus its step it returned None"):
        fg.numerical_gradient(lambda x: None, np.ones(3), workers=map)
    with pytest.raises(fg.ShapeError, match=r"array of steps"):
        fg.numerical_gradient(cubes, np.ones(3), np.ones(4), workers=map)
    with pytest.raises(fg.ShapeError, match=r"arrays of one shape"):
        fg.numerical_jacobian(lambda x: np.ones(2 if x[0] != 1.0 else 3), np.ones(9), workers=map)


def test_sides_that_workers_change_are_told_here() -> None:
    with pytest.warns(fg.OneSidedWarning, match=r"one side of x\[4\] \(and of 1 more\)") as seen:
        found = fg.numerical_gradient(_roots, np.array([1.0, 4, 9, 16, 0, 25, 0]), method="central", workers=map)
    assert seen[0].filename == __file__
    np.testing.assert_allclose(found[:4], [1.5, 3.0, 4.5, 6.0], atol=1e-5)


def _roots(x: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return np.sum(np.sqrt(x) ** 3)


@pytest.mark.parametrize("workers", [True, "two", 2.5, object()])
def test_what_is_no_worker_is_refused(workers: Any) -> None:
    with pytest.raises(TypeError, match="workers must be a number of processes, a map, an executor"):
        fg.numerical_gradient(cubes, np.ones(3), workers=workers)


@pytest.mark.parametrize("workers", [0, -2])
def test_numbers_that_make_no_sense_are_refused(workers: int) -> None:
    with pytest.raises(ValueError, match=r"1 or more, or -1 for one a processor"):
        fg.numerical_gradient(cubes, np.ones(3), workers=workers)


def test_workers_of_structured_callables_are_threads() -> None:
    loss, W = fg.losses.LinearLoss(np.ones((2, 3)), np.ones(3), loss="sum"), np.ones((2, 3))
    assert fg.numerical_gradient(loss, W, workers=2).tolist() == W.tolist()
    verbs: list[Any] = [fg.numerical_gradient, lambda f, x, **options: fg.gradient_check(f, x, x, **options)]
    for verb in verbs:
        with pytest.raises(TypeError, match="workers must be their number"):
            verb(loss, W, workers=map)
        with pytest.raises(ValueError, match="positive number of threads"):
            verb(loss, W, workers=0)
        with pytest.raises(TypeError, match="workers must be their number, got True"):
            verb(loss, W, workers=True)
    with pytest.raises(TypeError, match="vectorized"):
        fg.gradient_check(loss, W, W, vectorized=True)


@pytest.mark.parametrize("count", [-1, np.int64(2), np.array(2)])
def test_a_number_of_threads_may_be_one_a_processor_or_one_of_numpy(count: Any) -> None:
    loss, W = fg.losses.LinearLoss(np.ones((2, 3)), np.ones(3), loss="sum"), np.ones((2, 3))
    assert fg.numerical_gradient(loss, W, workers=count).tolist() == W.tolist()
    assert fg.gradient_check(loss, W, W, workers=count).passed


@pytest.mark.parametrize("workers", [True, np.array([2, 3]), np.array([2])])
def test_arrays_and_truth_values_are_no_number_of_workers(workers: Any) -> None:
    with pytest.raises(TypeError, match="workers must be a number of processes, a map, an executor"):
        fg.numerical_gradient(cubes, np.ones(3), workers=workers)


def test_without_joblib_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "joblib", None)
    with pytest.raises(ImportError, match=r'joblib; install the extra: pip install "fastgrad\[parallel\]"'):
        fg.numerical_gradient(cubes, np.ones(3), workers=2)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 100, 1001])
def test_spans_cover_all_and_differ_by_one_at_most(n: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = _workers.spans(n, pool)
    assert [i for start, stop in found for i in range(start, stop)] == list(range(n))
    sizes = [stop - start for start, stop in found]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)
    assert len(found) == min(n, 2 * _workers.SPANS)


class Later(Executor):
    """An executor of one's own, that knows nothing but submit."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_an_executor_of_ones_own() -> None:
    assert bits(fg.numerical_gradient(cubes, np.arange(5.0), workers=Later())) == bits(
        fg.numerical_gradient(cubes, np.arange(5.0))
    )
