"""numerical_hessian does what its docstring says."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import steps


def f(x: Any) -> float:
    """exp(xy - z) + y² z."""
    return float(np.exp(x[0] * x[1] - x[2]) + x[1] ** 2 * x[2])


def gradient(x: Any) -> Any:
    e = np.exp(x[0] * x[1] - x[2])
    return np.array([x[1] * e, x[0] * e + 2 * x[1] * x[2], x[1] ** 2 - e])


def hessian(x: Any) -> Any:
    a, b, c = x
    e = np.exp(a * b - c)
    return np.array(
        [
            [b * b * e, (1 + a * b) * e, -b * e],
            [(1 + a * b) * e, a * a * e + 2 * c, 2 * b - a * e],
            [-b * e, 2 * b - a * e, e],
        ]
    )


X = np.array([0.5, 1.0, 2.0])


class Counted:
    def __init__(self, f: Any) -> None:
        self.f = f
        self.points: list[Any] = []

    def __call__(self, x: Any) -> Any:
        self.points.append(x.copy())
        return self.f(x)


def test_from_values_in_so_many_calls() -> None:
    counted = Counted(f)
    H = fg.numerical_hessian(counted, X)
    np.testing.assert_allclose(H, hessian(X), atol=1e-6)
    assert len(counted.points) == 3**2 + 5 * 3 + 1
    assert H.tobytes() == H.T.tobytes()


def test_from_a_gradient_in_2n_calls_and_f_is_not_called() -> None:
    counted = Counted(gradient)
    H = fg.numerical_hessian(None, X, grad=counted)
    np.testing.assert_allclose(H, hessian(X), atol=1e-9)
    assert len(counted.points) == 6
    assert H.tobytes() == H.T.tobytes()


def test_by_extrapolation() -> None:
    found = fg.numerical_hessian(f, X, method="adaptive", details=True)
    assert isinstance(found, fg.Derivative)
    np.testing.assert_allclose(found.value, hessian(X), rtol=1e-10)
    assert np.all(np.abs(found.value - hessian(X)) <= found.error)
    assert found.value.tobytes() == found.value.T.tobytes()
    assert found.calls.sum() < 120
    np.testing.assert_array_equal(fg.numerical_hessian(f, X, method="adaptive"), found.value)


@pytest.mark.parametrize("options", [{}, {"grad": gradient}], ids=["values", "gradient"])
def test_details_have_the_value_bit_for_bit_and_honest_bars_and_calls(options: dict[str, Any]) -> None:
    counted = Counted(f)
    options = {name: Counted(g) for name, g in options.items()}
    found = fg.numerical_hessian(counted, X, details=True, **options)
    assert found.value.tobytes() == fg.numerical_hessian(f, X, **{k: v.f for k, v in options.items()}).tobytes()
    assert np.all(np.abs(found.value - hessian(X)) <= found.error)
    assert np.all(found.error < 1e-5)
    asked = options.get("grad", counted)
    assert found.calls.sum() == len(asked.points)
    assert found.step.shape == found.error.shape == (3, 3)
    assert not any(mask.any() for mask in found.flags.values())


BOXES: list[Any] = [
    (X, [np.inf] * 3),
    ([-np.inf] * 3, X),
    (X - np.array([0, 1, 1e-6]), X + np.array([1, 0, 1e-3])),
    (X - 2e-4, X + 2e-4),
    (X - np.array([1e-3, 0.0, 1.0]), X + np.array([0.0, 1e-2, 1e-4])),
]


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("method", [None, "adaptive"])
@pytest.mark.parametrize("details", [False, True])
def test_bounds_are_kept(box: Any, method: Any, details: bool) -> None:
    counted = Counted(f)
    found = fg.numerical_hessian(counted, X, bounds=box, method=method, details=details)
    points = np.array(counted.points)
    assert np.all(points >= np.array(box[0]))
    assert np.all(points <= np.array(box[1]))
    H = found.value if details else found
    np.testing.assert_allclose(H, hessian(X), atol=2e-5)
    if details:
        assert np.all(np.abs(H - hessian(X)) <= found.error)


def test_bounds_of_a_gradient() -> None:
    counted = Counted(gradient)
    found = fg.numerical_hessian(None, X, grad=counted, bounds=(X, X + 1), details=True)
    assert np.all(np.array(counted.points) >= X)
    assert np.all(np.abs(found.value - hessian(X)) <= found.error)


def test_entries_moved_to_one_side_are_flagged() -> None:
    found = fg.numerical_hessian(f, X, bounds=([0.5, -np.inf, -np.inf], np.inf), details=True)
    assert found.flags["one-sided"].tolist() == [[True, True, True], [True, False, False], [True, False, False]]


def test_arrays_of_any_shape_count_in_c_order() -> None:
    A = np.arange(36.0).reshape(6, 6)
    x = np.arange(6.0).reshape(2, 3) / 4
    H = fg.numerical_hessian(lambda p: float(p.reshape(-1) @ A @ p.reshape(-1)), x)
    assert H.shape == (6, 6)
    np.testing.assert_allclose(H, A + A.T, atol=1e-5)
    by_gradient = fg.numerical_hessian(None, x, grad=lambda p: ((A + A.T) @ p.reshape(-1)).reshape(2, 3))
    np.testing.assert_allclose(by_gradient, A + A.T, atol=1e-8)


def test_a_number_and_nothing() -> None:
    np.testing.assert_allclose(fg.numerical_hessian(lambda t: t**3, 2.0), [[12.0]], atol=1e-6)
    assert fg.numerical_hessian(lambda x: 1.0, np.empty(0)).shape == (0, 0)
    assert fg.numerical_hessian(None, np.empty(0), grad=lambda x: x, details=True).value.shape == (0, 0)
    assert fg.numerical_hessian(lambda x: 1.0, np.empty(0), details=True).calls.sum() == 0


def test_single_precision_stays() -> None:
    H = fg.numerical_hessian(f, X.astype(np.float32))
    assert H.dtype == np.float32
    np.testing.assert_allclose(H, hessian(X), atol=0.02)
    found = fg.numerical_hessian(None, X.astype(np.float32), grad=gradient, details=True)
    assert found.value.dtype == np.float32
    assert np.all(np.abs(found.value - hessian(X)) <= found.error)


def test_trees_count_as_one_line() -> None:
    x = {"a": 3.0, "b": np.array([1.0, 2.0])}

    def g(p: Any) -> Any:
        return {"b": 2 * p["a"] * p["b"], "a": np.sum(p["b"] ** 2)}

    expected = [[0, 2, 4], [2, 6, 0], [4, 0, 6]]
    np.testing.assert_allclose(
        fg.numerical_hessian(lambda p: float(p["a"] * np.sum(p["b"] ** 2)), x), expected, atol=1e-6
    )
    np.testing.assert_allclose(fg.numerical_hessian(None, x, grad=g), expected, atol=1e-8)


def test_steps_are_taken_as_given_or_as_the_nearest_that_x_takes() -> None:
    counted = Counted(f)
    fg.numerical_hessian(counted, X, 2.0**-8)
    moves = np.array(counted.points) - X
    assert set(np.abs(moves[moves != 0]).tolist()) == {2.0**-8, 2.0**-7, 2.0**-6}
    counted = Counted(f)
    fg.numerical_hessian(counted, X, [1e-4, 2e-4, 3e-4])
    moves = np.abs(np.array(counted.points) - X).max(axis=0)
    np.testing.assert_allclose(moves, [4e-4, 8e-4, 12e-4], rtol=1e-9)
    auto = fg.numerical_hessian(f, X, "auto")
    assert auto.tobytes() == fg.numerical_hessian(f, X).tobytes()
    assert auto.tobytes() == fg.numerical_hessian(f, X, 2 * steps.auto(X, 3)).tobytes()


def test_out_args_and_kwargs() -> None:
    out = np.full((3, 3), np.nan)
    assert fg.numerical_hessian(lambda x, a, b: a * b * f(x), X, out=out, args=(2.0,), kwargs={"b": 3.0}) is out
    np.testing.assert_allclose(out, 6 * hessian(X), atol=1e-5)
    found = fg.numerical_hessian(None, X, grad=lambda x, a: a * gradient(x), args=(2.0,), out=out)
    assert found is out
    np.testing.assert_allclose(out, 2 * hessian(X), atol=1e-8)
    with pytest.raises(fg.ShapeError, match=r"\(3, 3\); got \(2, 2\)"):
        fg.numerical_hessian(f, X, out=np.empty((2, 2)))


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(ValueError, match="method must be one of 'central', 'adaptive'; got 'forward'"):
        fg.numerical_hessian(f, X, method="forward")
    with pytest.raises(TypeError, match="picks its own steps"):
        fg.numerical_hessian(f, X, 1e-3, method="adaptive")
    claimed: Any = np.ones(2)
    with pytest.raises(TypeError, match="grad must be callable, got ndarray"):
        fg.numerical_hessian(None, np.ones(2), grad=claimed)
    with pytest.raises(TypeError, match="grad must be callable, got ndarray"):
        fg.hessian_vector_product(None, np.ones(2), np.ones(2), grad=claimed)
    with pytest.raises(TypeError, match="f must be callable, got NoneType"):
        fg.numerical_hessian(None, X)
    with pytest.raises(fg.StepError, match=r"lost to rounding at x\[1\]"):
        fg.numerical_hessian(f, [1.0, 1e12, 1.0], 1e-4)
    with pytest.raises(fg.ShapeError, match=r"what grad returns must have the shape of x, \(3,\); got \(2,\)"):
        fg.numerical_hessian(None, X, grad=lambda x: x[:2])
    with pytest.raises(TypeError, match="what grad returns must hold real numbers"):
        fg.numerical_hessian(None, X, grad=lambda x: x + 1j)
    with pytest.raises(ValueError, match="lies outside its bounds"):
        fg.numerical_hessian(f, X, bounds=(X + 1, X + 2))


def test_a_kink_shows_in_the_bar() -> None:
    found = fg.numerical_hessian(lambda x: float(np.abs(x[0]) * x[1]), [0.0, 1.0], method="adaptive", details=True)
    assert found.error[0, 0] > 10.0
