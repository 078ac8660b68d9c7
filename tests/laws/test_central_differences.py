"""What mathematics says of central differences, whatever the code does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastgrad as fg

SMOOTH: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp": (lambda x: np.exp(x).sum(), np.exp),
    "sin": (lambda x: np.sin(x).sum(), np.cos),
    "cube": (lambda x: (x**3).sum(), lambda x: 3 * x**2),
    "log-sum-exp": (lambda x: np.log(np.exp(x).sum()), lambda x: np.exp(x) / np.exp(x).sum()),
    "product": (lambda x: x.prod(), lambda x: x.prod() / x),
    "1/x": (lambda x: (1 / x).sum(), lambda x: -1 / x**2),
}
# With three factors or fewer that are linear each, a central difference of a product is exact: no order to see.
WITH_TRUNCATION = sorted(set(SMOOTH) - {"product"})

X = np.array([0.7, 1.3, 1.9])
small = st.integers(-64, 64).map(lambda k: k / 8)


@pytest.mark.parametrize("name", WITH_TRUNCATION)
def test_the_error_falls_with_the_square_of_the_step(name: str) -> None:
    f, gradient = SMOOTH[name]
    steps = 2.0 ** -np.arange(3, 9)
    errors = [np.abs(fg.numerical_gradient(f, X, h) - gradient(X)).max() for h in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("name", sorted(SMOOTH))
@pytest.mark.parametrize("eps", [None, "auto", 1e-6])
def test_usual_steps_give_eight_digits(name: str, eps: Any) -> None:
    f, gradient = SMOOTH[name]
    np.testing.assert_allclose(fg.numerical_gradient(f, X, eps), gradient(X), rtol=1e-8)


@pytest.mark.parametrize("name", ["exp", "sin", "1/x"])
def test_jacobians_have_the_same_order(name: str) -> None:
    steps = 2.0 ** -np.arange(3, 9)
    functions: dict[str, Callable[[Any], Any]] = {"exp": np.exp, "sin": np.sin, "1/x": lambda x: 1 / x}
    errors = [np.abs(fg.numerical_jacobian(functions[name], X, h) - np.diag(SMOOTH[name][1](X))).max() for h in steps]
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(2.0, abs=0.1)


def test_the_leading_error_is_a_sixth_of_the_third_derivative() -> None:
    """(f(x + h) - f(x - h))/2h - f'(x) = h²f‴(x)/6 + O(h⁴), and for a cube there is no O(h⁴)."""
    for h in (0.5, 0.25, 0.125):
        measured = fg.numerical_gradient(lambda x: (x**3).sum(), X, h)
        np.testing.assert_allclose(measured - 3 * X**2, h**2, rtol=1e-12)


@given(
    a=hnp.arrays(np.float64, 4, elements=small),
    b=hnp.arrays(np.float64, 4, elements=small),
    x=hnp.arrays(np.float64, 4, elements=small),
    s=small,
)
def test_exact_on_quadratics_and_linear_in_f(a: Any, b: Any, x: Any, s: float) -> None:
    """With dyadic numbers nothing is rounded, so both laws hold to the last bit."""
    h = 0.25

    def p(v: Any) -> float:
        return float((a * v * v).sum() + (b * v).sum() + s)

    def q(v: Any) -> float:
        return float((b * v * v).sum() - v[0] * v[-1])

    dp, dq = fg.numerical_gradient(p, x, h), fg.numerical_gradient(q, x, h)
    assert dp.tolist() == (2 * a * x + b).tolist()
    assert dq.tolist() == (2 * b * x - np.array([x[-1], 0, 0, x[0]])).tolist()
    assert fg.numerical_gradient(lambda v: s * p(v) + 2 * q(v), x, h).tolist() == (s * dp + 2 * dq).tolist()


@given(W=hnp.arrays(np.float64, (3, 4), elements=small), x=hnp.arrays(np.float64, 4, elements=small))
def test_a_linear_map_is_its_own_jacobian(W: Any, x: Any) -> None:
    assert fg.numerical_jacobian(lambda v: (W * v).sum(axis=1), x, 0.5).tolist() == W.tolist()


@given(W=hnp.arrays(np.float64, (3, 4), elements=small), x=hnp.arrays(np.float64, 4, elements=small))
def test_chain_rule_with_a_linear_map(W: Any, x: Any) -> None:
    """The Jacobian of g(Wx) is J_g(Wx) W; its gradient by a sum is Wᵀ∇g(Wx)."""
    z = W @ x
    inner = fg.numerical_gradient(lambda v: np.cos(v).sum(), z)
    np.testing.assert_allclose(fg.numerical_gradient(lambda v: np.cos(W @ v).sum(), x), W.T @ inner, atol=2e-6)
    J = fg.numerical_jacobian(np.sin, z)
    np.testing.assert_allclose(fg.numerical_jacobian(lambda v: np.sin(W @ v), x), J @ W, atol=2e-6)


@given(x=hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=3), elements=small))
def test_mirroring_x_mirrors_the_gradient_to_the_last_bit(x: Any) -> None:
    """At -x the points are the same with plus and minus exchanged: g(v) = f(-v) has the gradient -∇f(-v)."""

    def f(v: Any) -> float:
        return float((np.exp(v / 4) * np.arange(v.size).reshape(v.shape)).sum())

    for eps in (None, "auto", 0.1):
        mirrored = fg.numerical_gradient(lambda v: f(-v), -x, eps)
        assert mirrored.tolist() == (-fg.numerical_gradient(f, x, eps)).tolist()


@given(x=hnp.arrays(np.float64, 5, elements=small), c=small)
def test_a_constant_has_no_gradient_and_adds_none(x: Any, c: float) -> None:
    assert not fg.numerical_gradient(lambda v: c, x).any()
    assert not fg.numerical_jacobian(lambda v: np.full((2, 2), c), x).any()


def test_the_gradient_is_the_jacobian_of_a_scalar(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    f = SMOOTH["exp"][0]
    assert fg.numerical_gradient(f, x).tobytes() == fg.numerical_jacobian(f, x).tobytes()


def test_rows_of_a_jacobian_are_gradients(rng: np.random.Generator) -> None:
    x = rng.normal(size=6)
    J = fg.numerical_jacobian(np.cumsum, x)
    for k in range(6):
        assert J[k].tobytes() == fg.numerical_gradient(lambda v, k=k: np.cumsum(v)[k], x).tobytes()


def test_each_entry_has_the_step_given_to_it() -> None:
    """The error of a cube is h², entry by entry."""
    h = np.array([0.5, 0.25, 0.125])
    measured = fg.numerical_gradient(lambda x: (x**3).sum(), X, h)
    np.testing.assert_allclose(measured - 3 * X**2, h**2, rtol=1e-12)
    J = fg.numerical_jacobian(lambda x: x**3, X, h)
    np.testing.assert_allclose(np.diag(J) - 3 * X**2, h**2, rtol=1e-12)


def test_badly_scaled_functions_keep_their_digits() -> None:
    f = SMOOTH["sin"][0]
    for scale in (1e-150, 1e-8, 1.0, 1e8, 1e150):
        np.testing.assert_allclose(fg.numerical_gradient(lambda x, s=scale: s * f(x), X), scale * np.cos(X), rtol=1e-8)


def test_the_central_difference_of_a_kink_is_the_mean_of_its_slopes() -> None:
    assert fg.numerical_gradient(lambda x: np.maximum(x, 0).sum(), [0.0]).tolist() == [pytest.approx(0.5)]
    assert fg.numerical_gradient(lambda x: np.abs(x).sum(), [0.0]).tolist() == [0.0]


def test_a_gradient_of_a_gradient_is_symmetric(rng: np.random.Generator) -> None:
    A = rng.normal(size=(4, 4))
    H = fg.numerical_jacobian(lambda x: fg.numerical_gradient(lambda v: v @ A @ v, x, 0.5), rng.normal(size=4), 0.5)
    np.testing.assert_allclose(H, A + A.T, atol=1e-12)
