"""numerical_jacobian does what its docstring says."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg

W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def test_numerator_layout() -> None:
    """d(Wx)/dx is W; d(Wx)/dW is (m, m, n), a slice of which is x in its own row."""
    x = np.array([1.0, -1.0, 2.0])
    np.testing.assert_allclose(fg.numerical_jacobian(lambda v: W @ v, x), W, atol=1e-8)
    by_W = fg.numerical_jacobian(lambda w: w @ x, W)
    assert by_W.shape == (2, 2, 3)
    np.testing.assert_allclose(by_W, np.einsum("ij,k->ijk", np.eye(2), x), atol=1e-8)


def test_all_four_kinds_of_derivative() -> None:
    scalar_by_scalar = fg.numerical_jacobian(lambda t: t**3, 2.0)
    assert type(scalar_by_scalar) is np.float64
    assert scalar_by_scalar == pytest.approx(12.0)
    np.testing.assert_allclose(fg.numerical_jacobian(lambda x: x @ x, [1.0, 2.0]), [2.0, 4.0], atol=1e-8)
    np.testing.assert_allclose(fg.numerical_jacobian(lambda t: np.array([t, t**2, 1.0]), 3.0), [1, 6, 0], atol=1e-8)
    np.testing.assert_allclose(fg.numerical_jacobian(lambda x: x[::-1] ** 2, [1.0, 2.0]), [[0, 4], [2, 0]], atol=1e-8)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 16, 17, 40])
@pytest.mark.parametrize("m", [1, 3, 8, 20])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_column_lands_where_it_belongs(m: int, n: int, dtype: Any) -> None:
    A = np.arange(1.0, m * n + 1).reshape(m, n)
    J = fg.numerical_jacobian(lambda x: (A * x).sum(axis=1), np.zeros(n, dtype), 0.5)
    assert J.dtype == dtype
    assert J.tolist() == A.tolist()


def test_the_first_value_gives_the_shape_and_no_call_is_added() -> None:
    calls: list[Any] = []

    def f(x: Any) -> Any:
        calls.append(x)
        return np.ones((2, 3)) * x.sum()

    assert fg.numerical_jacobian(f, np.ones((4, 5))).shape == (2, 3, 4, 5)
    assert len(calls) == 2 * 20


def test_lists_and_numbers_as_values() -> None:
    J = fg.numerical_jacobian(lambda x: [x[0] * x[1], [x[0]][0], 5], [2.0, 3.0])
    np.testing.assert_allclose(J, [[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]], atol=1e-8)
    np.testing.assert_allclose(fg.numerical_jacobian(lambda x: float(x[0]), [2.0, 3.0]), [1.0, 0.0], atol=1e-8)


def test_out_is_filled_and_returned() -> None:
    out = np.full((2, 3), np.nan)
    assert fg.numerical_jacobian(lambda x: W @ x, np.ones(3), out=out) is out
    np.testing.assert_allclose(out, W, atol=1e-8)
    vector = np.full(2, np.nan)
    assert fg.numerical_jacobian(lambda t: W[:, 0] * t, 1.0, out=vector) is vector
    np.testing.assert_allclose(vector, W[:, 0], atol=1e-8)
    empty = np.empty((2, 0))
    assert fg.numerical_jacobian(lambda x: np.ones(2), np.ones(0), out=empty) is empty


def test_an_out_that_does_not_fit_is_refused_without_a_note_of_f() -> None:
    for x in (np.ones(3), np.ones(0)):
        with pytest.raises(fg.ShapeError, match=rf"\(2, {x.size}\); got \(7,\)") as caught:
            fg.numerical_jacobian(lambda v: np.ones(2), x, out=np.empty(7))
        assert not hasattr(caught.value, "__notes__")
    with pytest.raises(TypeError, match="dtype float32"):
        fg.numerical_jacobian(lambda v: v, np.ones(3, np.float32), out=np.empty((3, 3)))
    square = np.ones((3, 3))
    with pytest.raises(ValueError, match="overlaps x"):
        fg.numerical_jacobian(lambda v: v, square[0], out=square)


def test_args_and_kwargs_follow_x() -> None:
    J = fg.numerical_jacobian(lambda x, A, s: s * (A @ x), np.ones(3), args=(W,), kwargs={"s": 2.0})
    np.testing.assert_allclose(J, 2 * W, atol=1e-8)


def test_steps_of_all_kinds() -> None:
    x = np.array([1.0, 1e4, -3.0])
    for eps in (None, 1e-4, np.array([1e-5, 1e-2, 1e-4]), [1e-5, 1e-2, 1e-4], "auto", 1):
        np.testing.assert_allclose(fg.numerical_jacobian(lambda v: W @ v, x, eps), W, rtol=1e-5)


def test_a_step_that_is_lost_names_the_entry_before_f_is_called() -> None:
    def f(x: Any) -> Any:
        raise AssertionError("called")

    with pytest.raises(fg.StepError, match=r"lost to rounding at x\[0, 1\]"):
        fg.numerical_jacobian(f, [[1.0, 1e12]])


def test_large_jacobians_run() -> None:
    n = 600
    J = fg.numerical_jacobian(lambda x: x * 2.0, np.ones(n))
    np.testing.assert_allclose(J, 2 * np.eye(n), atol=1e-8)


def test_values_of_extreme_size_overflow_to_infinity_in_single_precision() -> None:
    J = fg.numerical_jacobian(lambda x: np.array([1e300, -1e300]) * np.float64(x[0]), np.ones(1, np.float32), 0.5)
    assert J.tolist() == [[np.inf], [-np.inf]]
    assert J.dtype == np.float32
