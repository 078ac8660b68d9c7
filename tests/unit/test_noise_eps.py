"""eps="noise": steps from the noise of the f at hand, in both verbs and in the check."""

import zlib
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import steps
from fastgrad._noise.choice import step_by_noise
from fastgrad._point import as_point

X = np.random.default_rng(8).standard_normal((2, 3))


def hashed(x: Any) -> float:
    """Return noise of standard deviation 1 that depends on x alone."""
    return (zlib.crc32(x.tobytes()) / 2**32 - 0.5) * 12**0.5


def noisy(x: Any, size: float = 1e-9) -> float:
    return float(np.sum(np.sin(x))) + size * hashed(x)


@pytest.mark.parametrize("size", [1e-9, 1e-7, 1e-5])
@pytest.mark.parametrize(("method", "order"), [(None, None), ("central", 4), ("forward", 1), ("backward", 2)])
def test_noisy_functions_gain_digits_over_the_textbooks_step(size: float, method: Any, order: Any) -> None:
    def error(eps: Any) -> float:
        found = fg.numerical_gradient(noisy, X, eps, method=method, order=order, args=(size,))
        return float(np.max(np.abs(found - np.cos(X))))

    assert np.log10(error(1e-5) / error("noise")) > (0.5 if method == "forward" and size < 1e-8 else 1.0)


def test_the_steps_are_those_of_by_noise_and_the_rest_is_as_ever() -> None:
    h, _, _ = steps.by_noise(noisy, as_point(X))
    np.testing.assert_array_equal(
        fg.numerical_gradient(noisy, X, "noise"), fg.numerical_gradient(noisy, X, h.reshape(X.shape))
    )


def test_jacobians_of_noisy_functions_gain_digits() -> None:
    def f(x: Any) -> Any:
        return np.array([noisy(x), noisy(2 * x), 3.0])

    exact = np.stack([np.cos(X), 2 * np.cos(2 * X), 0 * X])
    error = [np.max(np.abs(fg.numerical_jacobian(f, X, eps) - exact)) for eps in ("noise", 1e-5)]
    assert error[0] < error[1] / 10


def test_numbers_and_trees_have_noise_too() -> None:
    found = fg.numerical_gradient(lambda x: noisy(np.asarray(x)), 0.5, "noise")
    assert isinstance(found, np.float64)
    assert found == pytest.approx(np.cos(0.5), abs=1e-5)
    tree = fg.numerical_gradient(lambda p: noisy(p["a"]) + float(p["b"]) ** 2, {"a": X, "b": 3.0}, "noise")
    np.testing.assert_allclose(tree["a"], np.cos(X), atol=1e-5)
    assert tree["b"] == pytest.approx(6.0, abs=1e-4)


@pytest.mark.parametrize("at", ["lower", "upper", "middle", "tight"])
@pytest.mark.parametrize("n", [1, 4])
def test_no_line_of_noise_leaves_the_bounds(at: str, n: int) -> None:
    lower, upper = np.linspace(1.0, 2.0, n), np.linspace(1.0, 2.0, n) + (1e-3 if at == "tight" else 1.0)
    x = {"lower": lower, "upper": upper}.get(at, (lower + upper) / 2)
    seen = []

    def f(x: Any) -> float:
        seen.append(x.copy())
        return float(np.sum(np.log(x))) + 1e-9 * hashed(x)

    found = fg.numerical_gradient(f, x, "noise", bounds=(lower, upper))
    every = np.array(seen)
    assert np.all((every >= lower) & (every <= upper))
    np.testing.assert_allclose(found, 1 / x, atol=1e-2 if at == "tight" else 1e-4)
    before = len(seen)
    _, calls = step_by_noise(f, as_point(x), None, None, (lower, upper))
    assert len(seen) - before == calls >= 57


def test_an_entry_that_cannot_move_does_not_keep_the_others_from_it() -> None:
    bounds = ([0.0, 1.0], [5.0, 1.0])
    h, _ = step_by_noise(lambda x: noisy(x[:1]), as_point([2.0, 1.0]), None, None, bounds)
    assert h[0] > 1e-4
    with pytest.raises(ValueError, match=r"x\[1\] has no room to move"):
        fg.numerical_gradient(noisy, [2.0, 1.0], "noise", bounds=bounds)


def test_the_check_resolves_what_its_textbook_step_cannot() -> None:
    wrong = np.cos(X) + np.eye(2, 3) * 1e-3
    assert fg.gradient_check(noisy, np.cos(X), X, "noise", atol=1e-5, rtol=1e-5)
    found = fg.gradient_check(noisy, wrong, X, "noise", atol=1e-5, rtol=1e-5)
    assert found.verdict == "failed"
    assert set(found.wrong.indices.tolist()) == {0, 4}


def test_the_check_counts_the_calls_that_the_noise_took() -> None:
    calls = 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        return noisy(x)

    assert fg.gradient_check(f, np.cos(X), X, "noise", atol=1e-3).calls == calls > 57 + 2 * X.size


def test_what_has_no_noise_to_measure_is_refused() -> None:
    loss = fg.losses.LinearLoss(np.eye(2), np.ones(2), loss="sum")
    for ask in (
        lambda: fg.numerical_gradient(loss, np.eye(2), "noise"),
        lambda: fg.gradient_check(loss, np.ones((2, 2)), np.eye(2), "noise"),
        lambda: fg.reference.numerical_gradient(noisy, X, "noise"),
    ):
        with pytest.raises(fg.StepError, match='eps="noise" asks an ordinary callable'):
            ask()
    with pytest.raises(fg.StepError, match="no finite values around x"):
        fg.numerical_gradient(lambda x: np.nan, X, "noise")
    with pytest.raises(ValueError, match="method must be one of"):
        fg.numerical_gradient(lambda x: pytest.fail("called"), X, "noise", method="sideways")
    with pytest.raises(TypeError, match="leave eps and order out"):
        fg.numerical_gradient(noisy, X, "noise", method="complex")
    with pytest.raises(fg.StepError, match="functions of real numbers"):
        fg.numerical_gradient(lambda z: z[0] ** 2, [1j], "noise")


@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_details_count_the_calls_that_the_noise_took(verb: str) -> None:
    calls = 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        return noisy(x)

    found = getattr(fg, verb)(f, X, "noise", details=True)
    assert found.calls.sum() == calls > 57
