"""Noise as it is measured publicly, and the steps that follow from it."""

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import steps
from fastgrad._point import as_point


def hashed(x: Any) -> float:
    """Return noise of standard deviation 1 that depends on x alone."""
    return (zlib.crc32(x.tobytes()) / 2**32 - 0.5) * 12**0.5


X = np.random.default_rng(5).standard_normal((4, 3))


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-3])
def test_noise_is_found_within_a_factor(size: float) -> None:
    found = steps.noise(lambda x, a: a * float(np.sum(np.sin(x))) + size * hashed(x), X, args=(2.0,))
    assert size / 6 < found < size * 6


def test_noise_takes_the_calls_that_it_says_and_leaves_x_alone() -> None:
    before, calls = X.copy(), 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        assert x.shape == (4, 3)
        value = float(x.sum())
        x[:] = 0
        return value

    found = steps.noise(f, X)
    assert type(found) is float
    assert found < 1e-14
    assert calls == 57
    np.testing.assert_array_equal(X, before)


def test_noise_of_numbers_lists_and_nothing() -> None:
    assert steps.noise(lambda x: round(math.sin(x), 8), 1.0) > 1e-10
    assert steps.noise(lambda x: 1.0, [1, 2]) == 0.0
    assert steps.noise(lambda x: 1.0, np.empty(0)) == 0.0


def test_noise_where_f_has_no_values_is_not_a_number_and_errors_at_x_arrive() -> None:
    def only_here(x: Any) -> float:
        if x[0] != 1.0:
            raise ZeroDivisionError
        return 1.0

    assert math.isnan(steps.noise(only_here, [1.0]))
    with pytest.raises(ZeroDivisionError) as caught:
        steps.noise(only_here, [2.0])
    assert "x itself" in caught.value.__notes__[0]
    with pytest.raises(fg.ShapeError, match="array of shape"):
        steps.noise(lambda x: x, [1.0, 2.0])


def test_steps_are_those_of_more_and_wild_but_for_the_power_of_two() -> None:
    bends = np.array([1e-2, 1.0, 1e4])
    for noise in (1e-12, 1e-9, 1e-6):
        forward = steps.from_noise(noise, np.ones(3), bends, method="forward", order=1)
        central = steps.from_noise(noise, np.ones(3), bends)
        for h, rule in ((forward, 8**0.25 * np.sqrt(noise / bends)), (central, np.cbrt(3 * noise / bends))):
            assert np.frexp(h)[0].tolist() == [0.5] * 3
            expected = np.minimum(rule, 0.25)
            assert np.all((h / expected < 2**0.51) & (h / expected > 2**-0.51))


@pytest.mark.parametrize(("method", "order"), [("central", 2), ("central", 4), ("forward", 1), ("backward", 3)])
def test_no_other_step_has_a_smaller_expected_error(method: str, order: int) -> None:
    """By the definition of the mean square error, with a derivative that the monomial has."""
    noise, power = 1e-8, order + 1
    chosen = float(steps.from_noise(noise, [0.0], math.factorial(power), method=method, order=order)[0])

    def error(h: float) -> float:
        truncation = fg.numerical_gradient(lambda x: x**power, 0.0, h, method=method, order=order)
        weights = [
            fg.numerical_gradient(lambda x, k=k: float(round(x / h) == k), 0.0, h, method=method, order=order)
            for k in range(-order, order + 1)
        ]
        return float(truncation**2 + noise**2 * np.sum(np.square(weights)))

    assert error(chosen) == min(error(chosen * 2.0**k) for k in (-2, -1, 0, 1, 2))


def test_steps_stay_between_what_rounding_eats_and_a_fourth_of_x() -> None:
    x = np.array([0.0, 1e8, -3.0])
    assert steps.from_noise(1.0, x, 0.0).tolist() == [0.25, 2.0**24, 0.5]
    shortest = steps.from_noise(0.0, x, 1.0)
    steps.refuse_lost_steps(as_point(x), shortest)
    assert np.all(shortest < 1e-13 * np.maximum(1, np.abs(x)))
    single = x.astype(np.float32)
    steps.refuse_lost_steps(as_point(single), steps.from_noise(0.0, single, 1.0))


def test_what_gives_no_step_is_refused() -> None:
    for noise in (-1.0, math.nan, math.inf):
        with pytest.raises(fg.StepError, match="the noise must be a finite number, not negative"):
            steps.from_noise(noise, [1.0], 1.0)
    with pytest.raises(fg.ShapeError, match=r"shaped like x, \(2,\); got \(3,\)"):
        steps.from_noise(1.0, [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="has the orders"):
        steps.from_noise(1.0, [1.0], 1.0, order=3)
    with pytest.raises(fg.StepError, match="no finite values around x"):
        steps.by_noise(lambda x: 1.0 if x[0] == 1.0 else math.nan, as_point([1.0]))


WAVES: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda x: np.sum(np.sin(3 * x)), lambda x: 3 * np.cos(3 * x)),
    (lambda x: np.sum(np.sin(100 * x)), lambda x: 100 * np.cos(100 * x)),
    (lambda x: np.exp(np.sum(x) / 4), lambda x: np.full(x.shape, np.exp(np.sum(x) / 4) / 4)),
    (lambda x: np.sum(np.exp(x)) + 1e3, np.exp),
]


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6])
@pytest.mark.parametrize(("method", "order"), [("central", 2), ("central", 4), ("forward", 1)])
@pytest.mark.parametrize("wave", range(len(WAVES)))
def test_measured_steps_are_as_good_as_the_best(wave: int, method: str, order: int, size: float) -> None:
    f, df = WAVES[wave]
    exact = df(X)

    def noisy(x: Any) -> float:
        return float(f(x)) + size * hashed(x)

    def error(h: Any) -> float:
        return float(np.sqrt(np.mean((fg.numerical_gradient(noisy, X, h, method=method, order=order) - exact) ** 2)))

    h, noise, calls = steps.by_noise(noisy, as_point(X), method, order)
    assert size / 8 < noise < 8 * size + 1e-12
    assert h.shape == (X.size,)
    assert calls < 57 + 8 * 40
    assert error(h.reshape(X.shape)) <= 5 * min(error(2.0**-k) for k in range(2, 27))


def test_without_noise_rounding_counts() -> None:
    h, noise, _ = steps.by_noise(lambda x: float(np.sum(np.exp(x))), as_point(X))
    assert noise < 1e-13
    assert np.all((h > 1e-6) & (h < 1e-3))
    h, noise, _ = steps.by_noise(lambda x: 1.0, as_point(X))
    assert noise == 0.0
    assert np.all(np.isfinite(h) & (h > 0))


def test_entries_that_are_not_asked_take_the_median() -> None:
    x = np.random.default_rng(1).standard_normal(200)
    calls = 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        return float(np.sum(np.sin(30 * x))) + 1e-9 * hashed(x)

    h, _, told = steps.by_noise(f, as_point(x))
    assert calls == told < 400
    assert np.all((h > 1e-5) & (h < 1e-3))


def test_no_entries_take_no_call() -> None:
    h, noise, calls = steps.by_noise(lambda x: pytest.fail("called"), as_point(np.empty(0)))
    assert (h.size, noise, calls) == (0, 0.0, 0)


def test_by_noise_takes_points_of_any_form() -> None:

    def jumps(x: Any) -> float:
        return float(np.float32(np.sum(np.sin(x))))

    wanted = steps.by_noise(jumps, as_point(X))
    points: list[tuple[Any, Any]] = [
        (X, jumps),
        (X.tolist(), jumps),
        ({"a": X[:2], "b": X[2:]}, lambda t: jumps(np.concatenate([t["a"], t["b"]]))),
    ]
    for x, f in points:
        h, noise, calls = steps.by_noise(f, x)
        assert (h.tolist(), noise, calls) == (wanted[0].tolist(), *wanted[1:])
    with pytest.raises(TypeError, match="f must be callable, got NoneType"):
        steps.by_noise(None, X)  # type: ignore[arg-type]
