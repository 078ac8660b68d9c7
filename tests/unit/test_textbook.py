"""Every cell, exercise and printed figure of the chapter whose names the API bears; the tutorial has its own file.

What a cell prints is compared as it was printed, digit for digit. The errors 2.46e-10 and 1.54e-10 are rounding, and
might depend on the BLAS at hand: `test_printed_errors_are_the_same_with_fused_products` shows that they do not, as long
as three squares are added first to last, which NumPy does. The chapter's third error, 2.10e-10, came from draws without
a seed and cannot be had again; its cell runs on draws of its own.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fastgrad as fg
from fastgrad import plot

Array = NDArray[Any]
BOTH = pytest.mark.parametrize("lib", [fg, fg.reference], ids=["fastgrad", "reference"])


@pytest.fixture(autouse=True)
def global_generator() -> Iterator[None]:
    """The texts seed NumPy's global generator; other tests shall not notice."""
    state = np.random.get_state()
    yield
    np.random.set_state(state)


# The chapter, section by section.


@BOTH
def test_the_four_kinds_of_derivative(lib: Any) -> None:
    W, x = np.array([[1.0, 2.0, 0.5], [-1.0, 3.0, 4.0]]), np.array([1.0, -2.0, 0.5])
    ordinary = lib.numerical_gradient(lambda t: t**3, 2.0)
    assert np.ndim(ordinary) == 0
    assert ordinary == pytest.approx(12.0)
    assert np.ndim(lib.numerical_jacobian(lambda t: t**3, 2.0)) == 0
    np.testing.assert_allclose(lib.numerical_gradient(lambda x: x @ x, x), 2 * x, rtol=1e-8)
    np.testing.assert_allclose(lib.numerical_jacobian(lambda x: W @ x, x), W, rtol=1e-8)
    by_matrix = lib.numerical_gradient(lambda W: np.sum((W @ x) ** 2), W)
    np.testing.assert_allclose(by_matrix, 2 * np.outer(W @ x, x), rtol=1e-7)


@BOTH
def test_jacobian_of_a_linear_layer_in_both_layouts(lib: Any) -> None:
    W, x = np.array([[1.0, 2.0, 0.5], [-1.0, 3.0, 4.0]]), np.array([1.0, -2.0, 0.5])
    by_x = lib.numerical_jacobian(lambda x: W @ x, x)
    np.testing.assert_allclose(by_x, W, rtol=1e-8)  # numerator layout; the chapter's table has the denominator's:
    np.testing.assert_allclose(by_x.T, W.T, rtol=1e-8)
    by_W = lib.numerical_jacobian(lambda W: W @ x, W)
    assert by_W.shape == (2, 2, 3)
    np.testing.assert_allclose(by_W, np.einsum("ik,j->ikj", np.eye(2), x), atol=1e-9)
    upstream = np.array([0.5, -0.3])
    chained = lib.numerical_gradient(lambda x: upstream @ (W @ x), x)
    np.testing.assert_allclose(by_x.T @ upstream, chained, rtol=1e-8)


@BOTH
def test_worked_example_as_printed(lib: Any) -> None:
    A, b = np.array([[2.0, 1.0], [1.0, 3.0], [0.5, 2.0]]), np.array([4.0, 5.0, 2.0])
    x0 = np.array([1.0, 2.0])
    analytic = 2 * A.T @ (A @ x0 - b)
    numerical = lib.numerical_gradient(lambda x: np.sum((A @ x - b) ** 2), x0)
    assert str(analytic) == "[ 6.5 22. ]"
    assert str(numerical) == "[ 6.5 22. ]"
    assert f"{np.max(np.abs(analytic - numerical)):.2e}" == "2.46e-10"


@pytest.mark.parametrize("rtol", [None, 0], ids=["default rule", "textbook rule"])
def test_gradient_checker_as_printed(rtol: float | None) -> None:
    A = np.array([[3.0, 1.0], [1.0, 2.0]])
    passed, error = fg.gradient_check(lambda x: x @ A @ x, lambda x: (A + A.T) @ x, np.array([2.0, -1.0]), rtol=rtol)
    assert f"{'PASS' if passed else 'FAIL'} (max error {error:.2e})" == "PASS (max error 1.54e-10)"


def test_matrix_gradient_check_with_a_flattened_claim() -> None:
    np.random.seed(1)
    W, x, b = np.random.randn(3, 4), np.random.randn(4), np.random.randn(3)
    passed, error = fg.gradient_check(
        lambda w: np.sum((w.reshape(3, 4) @ x - b) ** 2),
        lambda w: (2 * np.outer(w.reshape(3, 4) @ x - b, x)).flatten(),
        W,
        rtol=0,
    )
    assert passed
    assert 0 < error < 5e-9


def fused(a: float, b: float, c: float) -> float:
    """a·b + c rounded once, as a fused multiply-add rounds it."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def unfused(a: float, b: float, c: float) -> float:
    return a * b + c


@BOTH
@pytest.mark.parametrize("add", [fused, unfused])
@pytest.mark.parametrize("order", [1, -1], ids=["first to last", "last to first"])
def test_printed_errors_are_the_same_with_fused_products(lib: Any, add: Any, order: int) -> None:
    def dot(u: Any, v: Any) -> float:
        (u0, u1), (v0, v1) = u[::order], v[::order]
        return float(add(u1, v1, u0 * v0))

    def squares(x: Array) -> float:
        rows = [([2.0, 1.0], 4.0), ([1.0, 3.0], 5.0), ([0.5, 2.0], 2.0)]
        return sum((dot(row, x.tolist()) - b) ** 2 for row, b in rows)

    def form(x: Array) -> float:
        return dot([dot(row, x.tolist()) for row in ([3.0, 1.0], [1.0, 2.0])], x.tolist())

    worked = lib.numerical_gradient(squares, np.array([1.0, 2.0])) - [6.5, 22.0]
    checked = lib.numerical_gradient(form, np.array([2.0, -1.0])) - [10.0, 0.0]
    assert [f"{np.max(np.abs(error)):.2e}" for error in (worked, checked)] == ["2.46e-10", "1.54e-10"]


def descend(A: Array, b: Array, rate: float, steps: int, ridge: float = 0.0) -> tuple[Array, Array]:
    """The chapter's loop."""
    x, losses = np.zeros(A.shape[1]), []
    for _ in range(steps):
        r = A @ x - b
        losses.append(r @ r + ridge * (x @ x))
        x = x - rate * (2 * A.T @ r + 2 * ridge * x)
    return x, np.array(losses)


def experiment() -> tuple[Array, Array]:
    np.random.seed(0)
    return np.random.randn(10, 3), np.random.randn(10)


def test_gradient_descent_as_printed() -> None:
    A, b = experiment()
    x, losses = fg.least_squares_gd(A, b, 0.05, 200)
    x_star = np.linalg.lstsq(A, b, rcond=None)[0]
    assert f"{losses[-1]:.6f}" == "3.285170"
    assert f"{np.sum((A @ x_star - b) ** 2):.6f}" == "3.285170"
    np.testing.assert_allclose(x, x_star, rtol=1e-10)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.05])
def test_learning_rates_that_converge(rate: float) -> None:
    A, b = experiment()
    result = fg.least_squares_gd(A, b, rate, 200)
    x, losses = descend(A, b, rate, 200)
    np.testing.assert_allclose(result.losses, losses, rtol=1e-12)
    np.testing.assert_allclose(result.x, x, rtol=1e-10)
    assert not result.diverged
    assert np.all(np.diff(result.losses) < 1e-12)


def test_the_learning_rate_that_does_not() -> None:
    A, b = experiment()
    with pytest.warns(fg.DivergenceWarning):
        result = fg.least_squares_gd(A, b, 0.2, 200)
    _, losses = descend(A, b, 0.2, 200)
    assert result.diverged
    assert result.losses[-1] > 1e20 * result.losses[0]
    np.testing.assert_allclose(result.losses, losses, rtol=1e-10)


def test_mini_project_as_printed() -> None:
    np.random.seed(42)
    X = np.random.randn(100, 5)
    w_true = np.array([2.0, -1.5, 0.8, 3.0, -0.5])
    y = X @ w_true + 0.5 * np.random.randn(100)
    w_closed = np.linalg.solve(X.T @ X, X.T @ y)
    w, losses = fg.least_squares_gd(X, y, 0.1, 500, reduction="mean")
    assert f"{np.linalg.norm(w_closed - w_true):.4f}" == "0.0983"
    assert f"{np.linalg.norm(w - w_true):.4f}" == "0.0983"
    np.testing.assert_allclose(w, w_closed, rtol=1e-10)
    assert losses[-1] == pytest.approx(np.mean((X @ w_closed - y) ** 2), rel=1e-12)


# The chapter's exercises.


def test_easy_1_the_squared_norm() -> None:
    x = np.array([1.0, -2.0, 0.5, 3.0, -1.5])
    assert fg.gradient_check(lambda x: x @ x, lambda x: 2 * x, x)
    assert not fg.gradient_check(lambda x: x @ x, lambda x: x, x)


def test_easy_2_the_linear_form() -> None:
    c, x = np.array([2.0, -1.0, 0.25]), np.array([0.3, 0.6, -0.9])
    assert fg.gradient_check(lambda x: c @ x, lambda x: c, x)
    np.testing.assert_allclose(fg.numerical_gradient(lambda x: c @ x, x), c, rtol=1e-9)


def test_medium_1_the_frobenius_norm() -> None:
    rng = np.random.default_rng(0)
    W, X, Y = rng.standard_normal((3, 4)), rng.standard_normal((4, 6)), rng.standard_normal((3, 6))
    claim = 2 * (W @ X - Y) @ X.T
    assert fg.gradient_check(lambda W: np.sum((W @ X - Y) ** 2), claim, W)
    f = fg.losses.LinearLoss(W, X, loss=fg.losses.SquaredError(Y), columns=True)
    assert f(W) == pytest.approx(np.sum((W @ X - Y) ** 2))
    assert fg.gradient_check(f, claim, W)
    assert not fg.gradient_check(f, claim / 2, W)


@pytest.mark.parametrize("ridge", [0.0, 0.1, 1.0, 10.0])
def test_medium_2_ridge_against_the_closed_form(ridge: float) -> None:
    A, b = experiment()
    x, losses = fg.least_squares_gd(A, b, 0.02, 1500, ridge=ridge)
    np.testing.assert_allclose(x, np.linalg.solve(A.T @ A + ridge * np.eye(3), A.T @ b), rtol=1e-9)
    assert losses[-1] == pytest.approx(np.sum((A @ x - b) ** 2) + ridge * (x @ x), rel=1e-12)
    assert fg.gradient_check(
        lambda x: np.sum((A @ x - b) ** 2) + ridge * (x @ x), 2 * A.T @ (A @ x - b) + 2 * ridge * x, x
    )
    np.testing.assert_allclose(losses, descend(A, b, 0.02, 1500, ridge)[1], rtol=1e-12)


def test_hard_cross_entropy_by_the_scores() -> None:
    rng = np.random.default_rng(0)
    W, x, y = rng.standard_normal((4, 3)), rng.standard_normal(3), np.array([0.0, 0.0, 1.0, 0.0])

    def loss(scores: Array) -> Any:
        return -np.sum(y * np.log(np.exp(scores) / np.sum(np.exp(scores))))

    scores = W @ x
    softmax = np.exp(scores) / np.sum(np.exp(scores))
    assert fg.gradient_check(loss, softmax - y, scores)
    value, gradient = fg.softmax_cross_entropy(scores, y)
    assert value == pytest.approx(loss(scores))
    np.testing.assert_allclose(gradient, softmax - y, rtol=1e-12)
    assert fg.gradient_check(lambda scores: fg.softmax_cross_entropy(scores, y), True, scores)


# The chapter's pictures.

A2, B2 = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([4.0, 5.0])


def squares_2d(x: Array) -> Any:
    return np.sum((A2 @ x - B2) ** 2)


def test_the_landscape_is_the_loss_on_the_grid_and_its_minimum_the_solution() -> None:
    axis = np.linspace(-1, 4, 80)
    grid = plot.loss_grid(A2, B2, axis, axis)
    expected = [[squares_2d(np.array([x1, x2])) for x1 in axis] for x2 in axis]
    np.testing.assert_allclose(grid, expected, rtol=1e-13, atol=1e-13)
    figure = pytest.importorskip("matplotlib.figure").Figure()
    ax = plot.loss_landscape(A2, B2, figure.subplots(), x1=(-1, 4), x2=(-1, 4))
    (star,) = ax.lines
    np.testing.assert_allclose(star.get_xydata()[0], np.linalg.solve(A2.T @ A2, A2.T @ B2), rtol=1e-12)


def test_the_arrows_are_the_measured_negative_gradient() -> None:
    quiver = pytest.importorskip("matplotlib.quiver").Quiver
    figure = pytest.importorskip("matplotlib.figure").Figure()
    ax = plot.descent_field(A2, B2, figure.subplots(), x1=(-1, 4), x2=(-1, 4))
    (arrows,) = (artist for artist in ax.collections if isinstance(artist, quiver))
    assert len(arrows.XY) == 144
    measured = [-fg.numerical_gradient(squares_2d, point) for point in arrows.XY]
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], axis=1), measured, atol=1e-7)
