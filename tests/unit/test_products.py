"""directional_derivative, numerical_vjp and hessian_vector_product do what their docstrings say."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.array([0.5, 1.0, 2.0])
V = np.array([1.0, -2.0, 0.5])
W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def f(x: Any) -> float:
    return float(np.exp(x[0] * x[1] - x[2]) + x[1] ** 2 * x[2])


def gradient(x: Any) -> Any:
    e = np.exp(x[0] * x[1] - x[2])
    return np.array([x[1] * e, x[0] * e + 2 * x[1] * x[2], x[1] ** 2 - e])


def vector(x: Any) -> Any:
    return np.tanh(W @ x)


def jacobian(x: Any) -> Any:
    return (1 - np.tanh(W @ x) ** 2)[:, None] * W


class Counted:
    def __init__(self, f: Any) -> None:
        self.f = f
        self.points: list[Any] = []

    def __call__(self, x: Any) -> Any:
        self.points.append(np.array(x))
        return self.f(x)


def test_two_calls_along_a_direction() -> None:
    counted = Counted(f)
    slope = fg.directional_derivative(counted, X, V)
    assert isinstance(slope, np.float64)
    assert slope == pytest.approx(gradient(X) @ V, rel=1e-9)
    assert len(counted.points) == 2
    counted = Counted(vector)
    np.testing.assert_allclose(fg.directional_derivative(counted, X / 8, V), jacobian(X / 8) @ V, rtol=1e-8)
    assert len(counted.points) == 2


@pytest.mark.parametrize("factor", [1e-300, 1e-12, 1.0, 1e12, 1e300])
def test_the_length_of_v_does_not_matter(factor: float) -> None:
    found = fg.directional_derivative(f, X, factor * V)
    assert found / factor == pytest.approx(gradient(X) @ V, rel=1e-8)


def test_along_one_entry_the_step_is_its_auto_step() -> None:
    x = np.array([100.0, 1.0])
    counted = Counted(lambda p: float(p @ p))
    fg.directional_derivative(counted, x, [1.0, 0.0])
    assert (counted.points[0] - x).tolist() == [float(fg.steps.auto(x)[0]), 0.0]


def test_no_direction_has_no_slope() -> None:
    assert fg.directional_derivative(f, X, np.zeros(3)) == 0.0
    assert fg.directional_derivative(lambda x: 3.0, np.empty(0), np.empty(0)) == 0.0


@pytest.mark.parametrize("method", ["central", "forward", "backward"])
@pytest.mark.parametrize("order", [2, 4])
def test_methods_and_orders(method: str, order: int) -> None:
    counted = Counted(f)
    found = fg.directional_derivative(counted, X, V, method=method, order=order)
    assert found == pytest.approx(gradient(X) @ V, rel=1e-7)
    assert len(counted.points) == (order if method == "central" else order + 1)
    along = (np.array(counted.points) - X) @ V
    if method != "central":
        assert np.all(along >= 0 if method == "forward" else along <= 0)


def test_details_and_extrapolation() -> None:
    exact = gradient(X) @ V
    for options in ({}, {"method": "adaptive"}, {"order": 4}, {"method": "forward"}):
        counted = Counted(f)
        found = fg.directional_derivative(counted, X, V, details=True, **options)
        assert isinstance(found, fg.Derivative)
        assert abs(found.value - exact) <= found.error < 1e-5
        assert found.calls == len(counted.points)
    assert abs(fg.directional_derivative(f, X, V, method="adaptive") - exact) < 1e-12
    several = fg.directional_derivative(vector, X / 8, V, details=True)
    assert several.value.tobytes() == fg.directional_derivative(vector, X / 8, V).tobytes()
    assert np.all(np.abs(several.value - jacobian(X / 8) @ V) <= several.error)
    assert several.calls.sum() == 4


def test_bounds_along_a_direction() -> None:
    for box in ((X, np.full(3, np.inf)), (X - 1e-8, X + 1e-7)):
        counted = Counted(f)
        found = fg.directional_derivative(counted, X, np.abs(V), bounds=box)
        points = np.array(counted.points)
        assert np.all(points >= box[0])
        assert np.all(points <= box[1])
        assert found == pytest.approx(gradient(X) @ np.abs(V), rel=1e-6)
    with pytest.raises(ValueError, match="v leads out of the bounds from x, and so does -v"):
        fg.directional_derivative(f, X, V, bounds=(X, X + 1))
    with pytest.raises(ValueError, match=r"x\[0\] = 0.5 lies outside"):
        fg.directional_derivative(f, X, V, bounds=(X + 1, X + 2))


def test_trees_along_a_direction() -> None:
    x = {"a": 3.0, "b": np.array([1.0, 2.0])}
    v = {"b": [1.0, 0.0], "a": 2.0}
    assert fg.directional_derivative(lambda p: p["a"] * np.sum(p["b"] ** 2), x, v) == pytest.approx(16.0)
    np.testing.assert_allclose(fg.directional_derivative(lambda p: p["a"] * p["b"], x, [2.0, 1.0, 0.0]), [5.0, 4.0])


def test_what_is_no_direction_is_said() -> None:
    with pytest.raises(fg.ShapeError, match=r"v must have the shape of x, \(3,\); got \(2,\)"):
        fg.directional_derivative(f, X, V[:2])
    with pytest.raises(ValueError, match="v must be finite"):
        fg.directional_derivative(f, X, [1.0, np.nan, 0.0])
    with pytest.raises(TypeError, match="v must hold real numbers"):
        fg.directional_derivative(f, X, ["a", "b", "c"])
    with pytest.raises(TypeError, match="v is a masked array"):
        fg.directional_derivative(f, X, np.ma.masked_array(V))
    with pytest.raises(fg.StepError, match=r"along v is lost to rounding at x\[1\] = 1e\+20"):
        fg.directional_derivative(f, [1.0, 1e20, 1.0], [1.0, 1.0, 1.0])
    with pytest.raises(TypeError, match="leave eps and order out"):
        fg.directional_derivative(f, X, V, 1e-3, method="adaptive")
    with pytest.raises(TypeError, match=r"f must return real numbers.*x along v plus its step it returned None"):
        fg.directional_derivative(lambda x: None, X, V)


def test_single_precision_stays() -> None:
    found = fg.directional_derivative(f, X.astype(np.float32), V)
    assert isinstance(found, np.float32)
    assert found == pytest.approx(gradient(X) @ V, rel=1e-3)
    assert fg.numerical_vjp(vector, X.astype(np.float32), [1.0, 2.0]).dtype == np.float32
    assert fg.hessian_vector_product(f, X.astype(np.float32), V).dtype == np.float32


def test_vjp() -> None:
    counted = Counted(vector)
    u = np.array([2.0, -1.0])
    np.testing.assert_allclose(fg.numerical_vjp(counted, X / 8, u), u @ jacobian(X / 8), atol=1e-9)
    assert len(counted.points) == 7
    by_W = fg.numerical_vjp(lambda w: w @ X, W, u)
    np.testing.assert_allclose(by_W, np.outer(u, X), atol=1e-8)
    tree = fg.numerical_vjp(lambda p: p["W"] @ X + p["b"], {"W": W, "b": np.zeros(2)}, u)
    np.testing.assert_allclose(tree["W"], np.outer(u, X), atol=1e-8)
    np.testing.assert_allclose(tree["b"], u, atol=1e-8)
    assert fg.numerical_vjp(lambda t: t**2, 3.0, 2.0) == pytest.approx(12.0)


def test_outputs_that_do_not_move_add_no_rounding() -> None:
    x = np.array([1.0, 2.0])
    found = fg.numerical_vjp(lambda p: np.array([p[0], 1e12 / 3, p[1]]), x, [1.0, 7.0, 1.0], 2.0**-10)
    assert found.tolist() == [1.0, 1.0]


def test_a_vjp_asks_for_a_cotangent_of_the_shape_of_y() -> None:
    with pytest.raises(fg.ShapeError, match=r"u must have the shape of f's value, \(2,\); got \(3,\)"):
        fg.numerical_vjp(vector, X, np.ones(3))
    with pytest.raises(TypeError, match="u must hold real numbers"):
        fg.numerical_vjp(vector, X, np.ones(2) + 1j)
    with pytest.raises(fg.ShapeError, match=r"it returned \(2,\) at first and \(3,\)"):
        fg.numerical_vjp(lambda x: x if x[0] != 0.5 else x[:2], X, np.ones(2))


def test_hessian_times_vector() -> None:
    H = fg.numerical_hessian(None, X, grad=gradient)
    counted = Counted(gradient)
    np.testing.assert_allclose(fg.hessian_vector_product(None, X, V, grad=counted), H @ V, atol=1e-8)
    assert len(counted.points) == 2
    counted = Counted(f)
    np.testing.assert_allclose(fg.hessian_vector_product(counted, X, V), H @ V, atol=1e-6)
    assert len(counted.points) == 4 * 3


@pytest.mark.parametrize("method", [None, "forward", "backward"])
def test_hessian_times_vector_keeps_the_bounds(method: Any) -> None:
    H = fg.numerical_hessian(None, X, grad=gradient)
    v = np.array([1.0, 2.0, 0.0])
    for box in ((X, X + 1), (X - 1e-4, X + 1e-3), (X - 1, X)):
        for options in ({}, {"grad": gradient}):
            counted = {name: Counted(g) for name, g in options.items()} or {"f": Counted(f)}
            found = fg.hessian_vector_product(
                counted.get("f"), X, v, bounds=box, grad=counted.get("grad"), method=method
            )
            points = np.array(next(iter(counted.values())).points)
            assert np.all(points >= box[0])
            assert np.all(points <= box[1])
            np.testing.assert_allclose(found, H @ v, atol=2e-5)


def test_hessian_times_vector_of_trees_and_shapes() -> None:
    x = {"a": 3.0, "b": np.array([1.0, 2.0])}

    def g(p: Any) -> Any:
        return {"a": np.sum(p["b"] ** 2), "b": 2 * p["a"] * p["b"]}

    ways: list[dict[str, Any]] = [{"grad": g}, {}]
    for options in ways:
        found = fg.hessian_vector_product(
            lambda p: p["a"] * np.sum(p["b"] ** 2), x, {"a": 1.0, "b": [1.0, 1.0]}, **options
        )
        assert found["a"] == pytest.approx(6.0, abs=1e-5)
        np.testing.assert_allclose(found["b"], [8.0, 10.0], atol=1e-5)
    M = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(fg.hessian_vector_product(lambda p: float((p**2).sum()), M, M), 2 * M, atol=1e-5)
    with pytest.raises(ValueError, match="got 'adaptive'"):
        fg.hessian_vector_product(f, X, V, method="adaptive")
    with pytest.raises(fg.ShapeError, match="what grad returns must have the shape of x"):
        fg.hessian_vector_product(None, X, V, grad=lambda x: x[:2])


def test_a_layer_by_its_weights_takes_two_calls_an_input() -> None:
    m, n = 7, 3
    rng = np.random.default_rng(1)
    W, x, u = rng.normal(size=(m, n)), rng.normal(size=n), rng.normal(size=m)
    pattern = np.kron(np.eye(m, dtype=bool), np.ones((1, n), dtype=bool))
    counted = Counted(lambda w: np.tanh(w @ x))
    found = fg.numerical_vjp(counted, W, u, sparsity=fg.sparsity.color(pattern))
    assert len(counted.points) == 2 * n + 1
    exact = np.outer(u * (1 - np.tanh(W @ x) ** 2), x)
    np.testing.assert_allclose(found, exact, atol=1e-9)
    single = fg.numerical_vjp(lambda w: np.tanh(w @ x), W.astype(np.float32), u, sparsity=fg.sparsity.color(pattern))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, atol=1e-2)


def test_compression_keeps_to_the_steps_and_writes_nothing() -> None:
    x = np.linspace(1.0, 2.0, 5)
    before = x.tobytes()
    pattern = np.eye(5, dtype=bool) | np.eye(5, k=1, dtype=bool)

    def writes(p: Any) -> Any:
        y = p * np.append(p[1:], 1.0)
        p[:] = 0.0
        return y

    u = np.arange(5.0)
    found = fg.numerical_vjp(writes, x, u, [1e-4, 1e-5, 1e-6, 1e-5, 1e-4], sparsity=fg.sparsity.color(pattern))
    expected = u * np.append(x[1:], 1.0) + np.append(0.0, (u * x)[:-1])
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert x.tobytes() == before
    with pytest.raises(fg.StepError, match=r"lost to rounding at x\[0\]"):
        fg.numerical_vjp(writes, x, u, 1e-17, sparsity=fg.sparsity.color(pattern))
    with pytest.raises(fg.ShapeError, match=r"sparsity has the shape \(4, 5\); expected \(5, 5\)"):
        fg.numerical_vjp(writes, x, u, sparsity=pattern[:4])
    fourth = fg.numerical_vjp(writes, x, u, sparsity=pattern, order=4, bounds=(1.0, 2.0))
    np.testing.assert_allclose(fourth, expected, atol=1e-9)
    with pytest.raises(TypeError, match="leave other methods out"):
        fg.numerical_vjp(writes, x, u, sparsity=pattern, method="adaptive")


def test_a_pattern_is_coloured_on_the_way() -> None:
    pattern = np.eye(9, dtype=bool) | np.eye(9, k=1, dtype=bool)
    x, u = np.linspace(1.0, 2.0, 9), np.ones(9)
    counted = Counted(lambda p: p * np.append(p[1:], 1.0))
    found = fg.numerical_vjp(counted, x, u, sparsity=pattern)
    np.testing.assert_allclose(found, fg.numerical_vjp(lambda p: p * np.append(p[1:], 1.0), x, u), atol=1e-8)
    assert len(counted.points) == 5
    again = fg.numerical_vjp(counted, x, u, sparsity=fg.sparsity.color(pattern))
    assert again.tobytes() == found.tobytes()
