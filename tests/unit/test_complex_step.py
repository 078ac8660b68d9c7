"""method="complex": what it returns, what it calls, and that nothing but an analytic f gets through."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._complex.step import complex_gradient, complex_jacobian
from fastgrad._point import as_point

X = np.array([[0.5, -1.5, 2.0], [3.0, -0.25, 1e-3]])


def smooth(x: Any) -> Any:
    return np.sum(np.exp(x) * np.sin(3 * x)) * x[0, 0]


def slope(x: Any) -> Any:
    found = np.exp(x) * (np.sin(3 * x) + 3 * np.cos(3 * x)) * x[0, 0]
    found[0, 0] += np.sum(np.exp(x) * np.sin(3 * x))
    return found


def test_a_gradient_is_right_to_the_last_digits() -> None:
    found = fg.numerical_gradient(smooth, X, method="complex")
    assert found.shape == X.shape
    np.testing.assert_allclose(found, slope(X), rtol=1e-14)


def test_a_jacobian_is_right_to_the_last_digits_in_numerator_layout() -> None:
    A = np.arange(6.0).reshape(2, 3)
    J = fg.numerical_jacobian(lambda x: np.tanh(A @ x), X.T, method="complex")
    assert J.shape == (2, 2, 3, 2)
    slopes = 1 / np.cosh(A @ X.T) ** 2
    np.testing.assert_allclose(J, np.einsum("ij,ik,jl->ijkl", slopes, A, np.eye(2)), rtol=1e-13, atol=1e-300)


def test_f_is_called_once_an_entry_with_complex_numbers_and_a_few_times_beside_x() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(x.copy())
        return smooth(x)

    fg.numerical_gradient(f, X, method="complex")
    complex_ones = [x for x in seen if x.dtype == np.complex128]
    assert len(complex_ones) == X.size
    for i, x in enumerate(complex_ones):
        np.testing.assert_array_equal(x.real, X)
        assert np.flatnonzero(x.imag).tolist() == [i]
        assert 0 < x.imag.flat[i] < 1e-29
    assert all(x.dtype == np.float64 and x.shape == X.shape for x in seen if x.dtype != np.complex128)
    assert len(seen) == X.size + 3


def test_numbers_lists_trees_arguments_and_out() -> None:
    found = fg.numerical_gradient(lambda x, a, b: a * x**2 + b, 3.0, method="complex", args=(2.0,), kwargs={"b": 1.0})
    assert isinstance(found, np.float64)
    assert found == 12.0
    assert fg.numerical_gradient(lambda x: x[0] * x[1], [2, 3], method="complex").tolist() == [3.0, 2.0]
    tree = fg.numerical_gradient(lambda p: p["a"] * np.sum(p["b"] ** 2), {"a": 2.0, "b": X}, method="complex")
    np.testing.assert_allclose(tree["b"], 4 * X, rtol=1e-15)
    assert tree["a"] == pytest.approx(np.sum(X**2), rel=1e-15)
    jac = fg.numerical_jacobian(lambda p: p["a"] * p["b"], {"a": 2.0, "b": X[0]}, method="complex")
    np.testing.assert_allclose(jac["b"], 2 * np.eye(3), rtol=1e-15)
    out = np.empty_like(X)
    assert fg.numerical_gradient(smooth, X, method="complex", out=out) is out
    np.testing.assert_allclose(out, slope(X), rtol=1e-14)
    J = np.empty((3, 3))
    assert fg.numerical_jacobian(np.sin, X[0], method="complex", out=J) is J
    np.testing.assert_allclose(J, np.diag(np.cos(X[0])), rtol=1e-15)
    with pytest.raises(fg.ShapeError, match="out must have the shape"):
        fg.numerical_jacobian(np.sin, X[0], method="complex", out=np.empty((3, 2)))


def test_single_precision_is_measured_in_double_and_rounded_once() -> None:
    x = np.array([0.1, 0.7], np.float32)
    found = fg.numerical_gradient(lambda x: np.sum(np.exp(x)), x, method="complex")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.exp(x.astype(np.float64)).astype(np.float32))


def test_nothing_and_a_jacobian_of_nothing() -> None:
    assert fg.numerical_gradient(lambda x: pytest.fail("called"), np.empty((0, 2)), method="complex").shape == (0, 2)
    assert fg.numerical_jacobian(lambda x: np.ones((3, 1)), np.empty(0), method="complex").shape == (3, 1, 0)
    assert fg.numerical_jacobian(lambda x: x[:0], np.ones(2), method="complex").shape == (0, 2)


def test_x_is_untouched_and_f_may_write_keep_and_return_what_it_gets() -> None:
    x, kept, one = X.copy(), [], np.empty(X.shape, complex)

    def writes(x: Any) -> Any:
        value = np.sum(x**2)
        x[:] = 7.0
        kept.append(x)
        return value

    np.testing.assert_allclose(fg.numerical_gradient(writes, x, method="complex"), 2 * X, rtol=1e-15)
    np.testing.assert_array_equal(x, X)
    assert all(np.all(k == 7.0) for k in kept)

    def same(x: Any) -> Any:
        if x.dtype == complex:
            one[:] = x**2
            return one
        return x**2

    J = fg.numerical_jacobian(same, x, method="complex").reshape(6, 6)
    np.testing.assert_allclose(J, np.diag(2 * X.reshape(-1)), rtol=1e-15)
    identity = fg.numerical_jacobian(lambda x: x, X[0], method="complex")
    np.testing.assert_array_equal(identity, np.eye(3))


def test_what_a_function_does_not_depend_on_has_slope_zero() -> None:
    assert fg.numerical_gradient(lambda x: 5.0, X, method="complex").tolist() == np.zeros_like(X).tolist()
    assert fg.numerical_gradient(lambda x: x[0] ** 2, [0.0, 2.0], method="complex").tolist() == [0.0, 0.0]
    J = fg.numerical_jacobian(lambda x: np.array([x[0], 1.0]), [2.0, 3.0], method="complex")
    assert J.tolist() == [[1.0, 0.0], [0.0, 0.0]]


def into_real(x: Any) -> Any:
    y = np.empty(x.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        y[...] = x
    return np.sum(y**2)


#: Functions that lose the imaginary part of x[1], or all of them: what they do, and the entry that is to be named.
LOSSY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "abs of one": (lambda x: x[0] ** 2 + np.abs(x[1]) + np.sin(x[2]), r"x\[1\]"),
    "abs of one, times it": (lambda x: x[0] ** 2 + np.abs(x[1]) * x[1] + np.sin(x[2]), r"x\[1\]"),
    "abs of all": (lambda x: np.sum(np.abs(x)), r"x\[\d\]"),
    "abs squared": (lambda x: np.sum(np.abs(x) ** 2 * x), r"x\[\d\]"),
    "real part": (lambda x: np.exp(x[1].real) * x[0] * x[2], r"x\[1\]"),
    "conjugate": (lambda x: x[0] * x[2] + np.conj(x[1]), r"x\[1\]"),
    "hermitian product": (lambda x: np.vdot(x, x), r"x\[\d\]"),
    "norm": (np.linalg.norm, r"x\[\d\]"),
    "comparison": (lambda x: x[0] if x[1].item() > 0 else x[2], r"x\[0\]"),
    "math": (lambda x: x[0] + math.sin(x[1]), r"x\[0\]"),
    "no complex ufunc": (lambda x: np.sum(np.cbrt(x)), r"x\[0\]"),
    "cast": (lambda x: x[0] * float(np.real(x[1])) + x[2], r"x\[1\]"),
    "array of reals": (into_real, r"x\[\d\]"),
    "tiny beside the others": (lambda x: 1e9 * x[0] ** 2 + np.abs(x[1]) + x[2], r"x\[1\]"),
    "values of another function": (lambda x: x[0] * x[2] + (x[1] if x.dtype == float else 2 * x[1]), r"x\[1\]"),
}


@pytest.mark.parametrize("name", LOSSY)
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_an_f_that_is_not_analytic_is_refused_and_the_entry_is_named(name: str, verb: str) -> None:
    f, entry = LOSSY[name]
    made = f if verb == "numerical_gradient" else lambda x: [x[0] ** 3, f(x)]
    with pytest.raises(fg.AnalyticityError, match=rf"f is not analytic: .*\b{entry}.*Use method=\"adaptive\""):
        getattr(fg, verb)(made, [0.7, 1.3, -0.4], method="complex")


@pytest.mark.parametrize("n", [1, 2, 50, 1000])
def test_one_bad_entry_of_many_is_found(n: int) -> None:
    at = (7 * n) // 11

    def f(x: Any) -> Any:
        y = x * x
        return np.sum(np.sin(x)) + np.sum(y) - y[at] + y[at].real

    with pytest.raises(fg.AnalyticityError, match=rf"x\[{at}\]"):
        fg.numerical_gradient(f, np.linspace(0.5, 1.5, n), method="complex")


def test_the_check_stays_within_bounds_also_at_them() -> None:
    lower, upper = np.array([0.0, 0.0, 0.0, 2.0]), np.array([1.0, 1.0, 1.0, 2.0])

    def f(x: Any) -> Any:
        if x.dtype == float:
            assert np.all((x >= lower) & (x <= upper))
        else:
            assert np.all((x.real >= lower) & (x.real <= upper))
        return np.sum(np.exp(x))

    for x in ([0.0, 1.0, 0.5, 2.0], [1.0, 0.0, 1e-12, 2.0]):
        found = fg.numerical_gradient(f, x, method="complex", bounds=(lower, upper))
        np.testing.assert_allclose(found, np.exp(x), rtol=1e-15)
        with pytest.raises(fg.AnalyticityError, match=r"x\[0\]"):
            fg.numerical_gradient(lambda x: f(x) + np.abs(x[0]), x, method="complex", bounds=(lower, upper))
    with pytest.raises(ValueError, match="outside its bounds"):
        fg.numerical_gradient(f, [3.0, 0.0, 0.0, 2.0], method="complex", bounds=(lower, upper))


def test_where_f_has_no_value_the_slope_is_not_a_number() -> None:
    with np.errstate(all="ignore"):
        assert math.isnan(fg.numerical_gradient(np.log, -1.0, method="complex"))
        J = fg.numerical_jacobian(np.log, [2.0, -1.0], method="complex")
    assert J[0].tolist() == [0.5, 0.0]
    assert np.isnan(J[1]).all()
    found = complex_gradient(np.log, as_point([-1.0]), details=True)
    assert found.flags["undefined"].tolist() == [True]
    assert found.error.tolist() == [np.inf]


def test_an_infinite_slope_and_no_value_in_the_complex_plane_are_refused() -> None:
    with pytest.raises(fg.AnalyticityError, match=r"at x the complex step gives the slope"):
        fg.numerical_gradient(np.sqrt, 0.0, method="complex")
    with pytest.raises(fg.AnalyticityError, match=r"x\[1\] moved into the complex plane it has no finite value"):
        fg.numerical_gradient(
            lambda x: x[0] + (x[1] ** 2 * np.sin(1 / x[1]) if x[1] else 0.0), [1, 0], method="complex"
        )


def test_errors_of_f_arrive_and_its_values_are_read_strictly() -> None:
    error = KeyError("mine")

    def raises(x: Any) -> Any:
        if x.dtype == complex and x[1].imag:
            raise error
        return np.sum(x)

    with pytest.raises(KeyError) as caught:
        fg.numerical_gradient(raises, [1.0, 2.0], method="complex")
    assert caught.value is error
    assert "x[1]" in error.__notes__[0]
    with pytest.raises(TypeError, match="must return a real scalar, but at x itself it returned None"):
        fg.numerical_gradient(lambda x: None, X, method="complex")
    with pytest.raises(TypeError, match=r"must return numbers, but at x\[0\] plus ih it returned str"):
        fg.numerical_gradient(lambda x: "a" if x.dtype == complex else 1.0, [1.0], method="complex")
    with pytest.raises(fg.ShapeError, match=r"numerical_jacobian's"):
        fg.numerical_gradient(lambda x: x if x.dtype == complex else 1.0, [1.0, 2.0], method="complex")
    with pytest.raises(fg.ShapeError, match=r"\(2,\) at first and \(1,\) at x\[0\] plus ih"):
        fg.numerical_jacobian(lambda x: x[:1] if x.dtype == complex else x, [1.0, 2.0], method="complex")


def test_options_without_a_meaning_are_refused() -> None:
    for options in ({"eps": 1e-5}, {"order": 2}, {"eps": "auto"}):
        with pytest.raises(TypeError, match="leave eps and order out"):
            fg.numerical_gradient(smooth, X, method="complex", **options)


def test_details_are_shaped_like_the_derivative_and_count_every_call() -> None:
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return smooth(x)

    found = complex_gradient(f, as_point(X), details=True)
    assert found.value.shape == found.error.shape == found.step.shape == found.calls.shape == X.shape
    assert found.calls.sum() == calls
    assert np.all((found.error > 0) & (found.error < 1e-12 * np.max(np.abs(found.value))))
    assert not any(flag.any() for flag in found.flags.values())
    J = complex_jacobian(np.sin, as_point(X), details=True)
    assert J.value.shape == J.error.shape == J.step.shape == X.shape + X.shape
    assert J.calls.shape == X.shape
    assert np.isnan(complex_gradient(f, as_point(X)).error).all()


def test_the_verbs_return_details_when_asked() -> None:
    x = {"a": 2.0, "b": X}

    def f(p: Any) -> Any:
        return p["a"] * np.sum(p["b"] ** 2)

    found = fg.numerical_gradient(f, x, method="complex", details=True)
    np.testing.assert_allclose(found.value["b"], 4 * X, rtol=1e-15)
    assert found.error["b"].shape == found.calls["b"].shape == found.flags["noisy"]["b"].shape == X.shape
    J = fg.numerical_jacobian(np.sin, X[0], method="complex", details=True)
    assert np.all(np.abs(J.value - np.diag(np.cos(X[0]))) <= 3 * J.error + 1e-300)
    z = fg.numerical_jacobian(np.exp, X[0] * 1j, details=True)
    assert z.value.dtype == np.complex128
    assert np.all(np.abs(z.value - np.diag(np.exp(X[0] * 1j))) <= 3 * z.error)
