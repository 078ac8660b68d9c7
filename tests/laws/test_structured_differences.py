"""What structured losses measure is the central difference of the loss they are, at large steps and at small ones."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

Array = NDArray[Any]
LOSSES = ["sum", "weights", "squared", "entropy", "labels"]


def opaque(f: Any, x: Array, h: Array) -> tuple[Array, float]:
    """Return the central differences of f in double precision, knowing nothing of f, and the largest value met."""
    result, size = np.empty(x.shape), 1.0
    for i in np.ndindex(x.shape):
        up, down = x.astype(np.float64), x.astype(np.float64)
        step = h[0] if h.size == 1 else h.reshape(x.shape)[i]
        up[i] += step
        down[i] -= step
        plus, minus = f(up), f(down)
        result[i] = (plus - minus) / (up[i] - down[i])
        size = max(size, abs(plus), abs(minus))
    return result, size


def make_loss(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return {
        "sum": "sum",
        "weights": rng.standard_normal(shape),
        "squared": SquaredError(rng.standard_normal(shape)),
        "entropy": CrossEntropy(rng.random(shape)),
        "labels": CrossEntropy(rng.integers(0, shape[-1], shape[:-1])),
    }[name]


def agree(f: Any, at: Array, h: Array) -> None:
    measured = np.empty_like(at, order="C")
    evaluations = f.__fastgrad_gradient__(at, h, measured)
    assume(evaluations == 2 * at.size)  # a kink within the step is another test's
    expected, size = opaque(f, at, h)
    noise = 16 * 2.0**-53 * size / h.min()
    if at.dtype == np.float32:  # the forward is in single precision, the differences are not
        noise += 1e-5 * (size + np.abs(expected).max(initial=0.0))
    assert np.abs(measured - expected).max(initial=0.0) <= noise + 1e-9 * np.abs(expected).max(initial=0.0)


CASES = {
    "n": st.integers(1, 5),
    "m": st.integers(1, 4),
    "n_samples": st.integers(0, 4),
    "single": st.booleans(),
    "loss": st.sampled_from(LOSSES),
    "exponent": st.integers(-14, -4),
    "per_entry": st.booleans(),
    "exact": st.booleans(),
    "seed": st.integers(0, 2**32 - 1),
}


def steps_of(at: Array, exponent: int, per_entry: bool, exact: bool, rng: np.random.Generator) -> Array:
    h = 2.0**exponent * (1.0 if exact else 1.3)
    return h * rng.uniform(0.5, 1.0, at.size) if per_entry and at.size > 1 else np.array([h])


@settings(max_examples=60, deadline=None)
@given(wrt=st.sampled_from(["W", "b", "x"]), **CASES)
def test_linear_layers(
    n: int,
    m: int,
    n_samples: int,
    single: bool,
    loss: str,
    exponent: int,
    per_entry: bool,
    exact: bool,
    seed: int,
    wrt: Any,
) -> None:
    rng = np.random.default_rng(seed)
    dtype = np.float32 if single else np.float64
    x = rng.standard_normal((n_samples, n) if n_samples else n).astype(dtype)
    W, b = rng.standard_normal((m, n)).astype(dtype), rng.standard_normal(m).astype(dtype)
    f = LinearLoss(W, x, b, loss=make_loss(loss, (*x.shape[:-1], m), rng), wrt=wrt)
    at = {"W": W, "b": b, "x": x}[wrt]
    agree(f, at, steps_of(at, exponent, per_entry, exact, rng))


@settings(max_examples=60, deadline=None)
@given(wrt=st.sampled_from(["W1", "W2", "x"]), **CASES)
def test_two_layer_nets(
    n: int,
    m: int,
    n_samples: int,
    single: bool,
    loss: str,
    exponent: int,
    per_entry: bool,
    exact: bool,
    seed: int,
    wrt: Any,
) -> None:
    rng = np.random.default_rng(seed)
    dtype = np.float32 if single else np.float64
    x = rng.standard_normal((n_samples, n) if n_samples else n).astype(dtype)
    W1, W2 = rng.standard_normal((5, n)).astype(dtype), rng.standard_normal((m, 5)).astype(dtype)
    f = TwoLayerLoss((W1, W2), x, loss=make_loss(loss, (*x.shape[:-1], m), rng), wrt=wrt)
    at = {"W1": W1, "W2": W2, "x": x}[wrt]
    agree(f, at, steps_of(at, exponent, per_entry, exact, rng))


@pytest.mark.parametrize("wrt", ["W1", "W2", "x"])
@pytest.mark.parametrize("h", [0.5, 2.0])
def test_large_steps_give_the_difference_and_not_the_derivative(wrt: Any, h: float) -> None:
    # Units stay on their side of the kink; the cross-entropy bends within the step.
    x, W1 = np.array([0.5, 1.0]), np.array([[8.0, 4.0], [-8.0, -4.0], [6.0, 6.0]])
    W2 = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 0.4], [-0.7, 1.0, 0.8]])
    f = TwoLayerLoss((W1, W2), x, loss=CrossEntropy([0.2, 0.7, 0.4]), wrt=wrt)
    at = {"W1": W1, "W2": W2, "x": x}[wrt]
    h = h / 8 if wrt == "x" else h
    large, small = np.empty_like(at), np.empty_like(at)
    assert f.__fastgrad_gradient__(at, np.array([h]), large) == 2 * at.size
    f.__fastgrad_gradient__(at, np.array([2.0**-17]), small)
    np.testing.assert_allclose(large, opaque(f, at, np.array([h]))[0], rtol=1e-12, atol=1e-12)
    assert np.abs(large - small).max() > 1e-4


@pytest.mark.parametrize("loss", ["sum", SquaredError([1.0, -2.0])])
def test_steps_that_rounding_eats_measure_nothing(loss: Any) -> None:
    # A derivative in disguise would not notice.
    W, x = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([1.0, 0.5])
    out = np.full((2, 2), 7.0)
    LinearLoss(W, x, loss=loss).__fastgrad_gradient__(W, np.array([2.0**-80]), out)
    np.testing.assert_array_equal(out, np.zeros((2, 2)))
    TwoLayerLoss((W, W), x, loss=loss, wrt="W1").__fastgrad_gradient__(W, np.array([2.0**-80]), out)
    np.testing.assert_array_equal(out, np.zeros((2, 2)))


def net(z: float, loss: Any = "sum", x: tuple[float, ...] = (1.0, -1.0)) -> tuple[Any, Array]:
    """Return the loss of a net with one hidden unit at z, by its first weights."""
    W1 = np.array([[z, 0.0]])
    return TwoLayerLoss((W1, np.array([[3.0]])), x, loss=loss, wrt="W1"), W1


def test_at_a_kink_both_slopes_are_kept() -> None:
    f, W1 = net(0.0)
    h, left, right, central = np.array([2.0**-10]), np.empty((1, 2)), np.empty((1, 2)), np.empty((1, 2))
    assert f.__fastgrad_gradient__(W1, h, central) == 4
    assert f.__fastgrad_slopes__(W1, h, left, right) == 5
    np.testing.assert_array_equal(left, [[0.0, -3.0]])
    np.testing.assert_array_equal(right, [[3.0, 0.0]])
    np.testing.assert_array_equal(central, (left + right) / 2)


def test_entries_that_cross_are_redone_with_smaller_steps() -> None:
    f, W1 = net(2.0**-13, x=(1.0, 0.125))
    h, out = np.array([2.0**-10]), np.empty((1, 2))
    assert f.__fastgrad_gradient__(W1, h, out) == 4 + 2 * 2
    np.testing.assert_array_equal(out, [[3.0, 0.375]])
    assert f.__fastgrad_gradient__(W1, np.array([2.0**-10, 2.0**-11]), out) == 4 + 2 * 1
    np.testing.assert_array_equal(out, [[3.0, 0.375]])
    assert f.__fastgrad_gradient__(W1, h / 16, out) == 4


def test_eight_halvings_are_tried_and_no_more() -> None:
    h = np.array([2.0**-10])
    left, right, central = np.empty((1, 2)), np.empty((1, 2)), np.empty((1, 2))
    f, W1 = net(1.25 * 2.0**-18, x=(1.0, 0.0))
    assert f.__fastgrad_slopes__(W1, h, left, right) == 4 + 2 + 1
    np.testing.assert_array_equal(left, [[3.0, 0.0]])
    np.testing.assert_array_equal(right, left)
    f, W1 = net(2.0**-19, x=(1.0, 0.0))
    assert f.__fastgrad_slopes__(W1, h, left, right) == 4 + 2 + 1
    np.testing.assert_array_equal(left, [[1.5, 0.0]])  # from 2^-19 down to 0, with a step of 2^-18
    np.testing.assert_array_equal(right, [[3.0, 0.0]])
    assert f.__fastgrad_gradient__(W1, h, central) == 4 + 2
    np.testing.assert_array_equal(central, (left + right) / 2)


def test_no_sample_s_kink_may_be_inside() -> None:
    W1, x = np.array([[1.0]]), np.array([[1.0], [2.0**-12], [-1.0]])  # the second stands 2^-12 from its kink
    f = TwoLayerLoss((W1, np.array([[3.0]])), x, loss="sum", wrt="W1")
    out = np.empty((1, 1))
    assert f.__fastgrad_gradient__(W1, np.array([0.5]), out) == 2
    assert f.__fastgrad_gradient__(W1, np.array([4.0]), out) == 4
    np.testing.assert_array_equal(out, [[3.0 * (1.0 + 2.0**-12)]])


@pytest.mark.parametrize("loss", [SquaredError([1.0, 2.0]), CrossEntropy([0.3, 1.1])])
def test_central_differences_at_a_kink_are_means_of_the_slopes_of_curved_losses(loss: Any) -> None:
    W1, W2 = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, 1.0], [-2.0, 1.0]])
    f = TwoLayerLoss((W1, W2), [1.0, -2.0], loss=loss, wrt="W1")
    h = np.array([0.125])
    left, right, central = np.empty((2, 2)), np.empty((2, 2)), np.empty((2, 2))
    f.__fastgrad_slopes__(W1, h, left, right)
    f.__fastgrad_gradient__(W1, h, central)
    here = f(W1)
    for i in ((0, 0), (0, 1)):
        up, down = W1.copy(), W1.copy()
        up[i] += 0.125
        down[i] -= 0.125
        assert right[i] == pytest.approx((f(up) - here) / 0.125, rel=1e-12, abs=1e-12)
        assert left[i] == pytest.approx((here - f(down)) / 0.125, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(central, (left + right) / 2, rtol=1e-12, atol=1e-12)
    assert np.abs(left[0] - right[0]).min() > 0.1
    np.testing.assert_array_equal(left[1], right[1])


def test_inputs_have_kinks_too() -> None:
    W1, W2 = np.array([[1.0, -1.0], [2.0**-12, 1.0]]), np.array([[3.0, 1.0]])
    x = np.array([1.0, 1.0])  # the first unit stands at 0
    f = TwoLayerLoss((W1, W2), x, loss="sum", wrt="x")
    left, right, central = np.empty(2), np.empty(2), np.empty(2)
    h = np.array([2.0**-10])
    assert f.__fastgrad_slopes__(x, h, left, right) == 5
    np.testing.assert_allclose(left, [2.0**-12, -2.0], atol=1e-12)
    np.testing.assert_allclose(right, [3 + 2.0**-12, 1.0], atol=1e-12)
    assert f.__fastgrad_gradient__(x, h, central) == 4
    np.testing.assert_allclose(central, (left + right) / 2, atol=1e-12)
    near = np.array([1.0, 1.0 - 2.0**-12])
    assert f.__fastgrad_gradient__(near, h, central) == 4 + 2 * 2
    np.testing.assert_allclose(central, [3 + 2.0**-12, -2.0], atol=1e-11)
