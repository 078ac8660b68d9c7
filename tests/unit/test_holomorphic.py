"""Complex x: the complex derivative of holomorphic functions, and an error for all others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad._arrays import number_array
from fastgrad._complex.holomorphic import holomorphic_gradient, holomorphic_jacobian
from fastgrad._point import as_point

RNG = np.random.default_rng(3)
Z = RNG.standard_normal((2, 3)) + 1j * RNG.standard_normal((2, 3))

PAIRS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "square": (lambda z: z * z, lambda z: 2 * z),
    "exponential": (np.exp, np.exp),
    "sine": (np.sin, np.cos),
    "inverse": (lambda z: 1 / z, lambda z: -1 / z**2),
    "logarithm": (np.log, lambda z: 1 / z),
    "root": (np.sqrt, lambda z: 0.5 / np.sqrt(z)),
    "tangent": (np.tan, lambda z: 1 / np.cos(z) ** 2),
    "steep": (lambda z: np.sin(50 * z) * 1e-20, lambda z: 50 * np.cos(50 * z) * 1e-20),
    "constant": (lambda z: 0 * z + (2 - 1j), lambda z: 0 * z),
    "imaginary": (lambda z: 1j * z, lambda z: 1j + 0 * z),
}

OTHERS: dict[str, Callable[[Any], Any]] = {
    "absolute square": lambda z: np.sum(np.abs(z) ** 2),
    "absolute value": lambda z: np.sum(np.abs(z)),
    "conjugate": lambda z: np.sum(np.conj(z) * z**2),
    "real part": lambda z: np.sum(z.real),
    "imaginary part": lambda z: 1j * np.sum(z.imag),
    "angle": lambda z: np.sum(np.angle(z)),
    "hermitian": lambda z: np.vdot(z, 1j * z**2),
    "a little of it": lambda z: np.sum(z**2 + 1e-4 * np.conj(z)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(("eps", "digits"), [(None, 11), ("auto", 11), (1e-5, 6)])
def test_a_gradient_is_the_complex_derivative(name: str, eps: Any, digits: int) -> None:
    f, df = PAIRS[name]
    found = fg.numerical_gradient(lambda z: np.sum(f(z)), Z, eps)
    assert found.dtype == np.complex128
    np.testing.assert_allclose(found, df(Z), rtol=0, atol=10.0**-digits * max(1e-30, np.max(np.abs(df(Z)))))


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "constant"])
def test_error_bars_cover_the_error(name: str) -> None:
    f, df = PAIRS[name]
    for scale in (1.0, 1e-3, 1e3 if name in ("square", "inverse", "logarithm", "root") else 0.1):
        found = holomorphic_gradient(lambda z: np.sum(f(z)), as_point(scale * Z, read=number_array))
        error = np.abs(found.value - df(scale * Z))
        assert np.mean(error <= 3 * (found.error + 2.0**-52 * np.abs(df(scale * Z)))) >= 5 / 6
        assert np.max(found.error) <= 1e-6 * max(1e-30, np.max(np.abs(df(scale * Z))))
        assert found.error.dtype == np.float64


def test_a_jacobian_is_of_complex_values_in_numerator_layout() -> None:
    A = RNG.standard_normal((2, 3)) + 1j * RNG.standard_normal((2, 3))
    J = fg.numerical_jacobian(lambda z: np.exp(A @ z.T), Z)
    assert J.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(J, np.einsum("ij,ik,jl->ijlk", np.exp(A @ Z.T), A, np.eye(2)), atol=1e-11)
    found = holomorphic_jacobian(lambda z: np.exp(A @ z.T), as_point(Z, read=number_array))
    assert found.value.shape == found.error.shape == found.step.shape == (2, 2, 2, 3)
    assert found.calls.shape == Z.shape


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_an_f_that_is_not_holomorphic_is_refused(name: str, scale: float) -> None:
    if name == "a little of it" and scale > 1:
        pytest.skip("5e-8 of the slope: less than is asked for")
    with pytest.raises(fg.AnalyticityError, match=r"^f is not holomorphic: at x\[0, 0\] .*the real and the imaginary"):
        fg.numerical_gradient(OTHERS[name], scale * Z)


def test_the_entry_that_is_to_blame_is_named() -> None:
    with pytest.raises(fg.AnalyticityError, match=r"at x\[1, 2\] its slope"):
        fg.numerical_gradient(lambda z: np.sum(z[0] ** 2) + z[1, 0] * abs(z[1, 2]), Z)
    with pytest.raises(fg.AnalyticityError, match=r'at x\["b"\]\[0, 1\] its slope'):
        fg.numerical_jacobian(lambda p: p["a"] * p["b"][0, :1] + p["b"][0, 1].real, {"a": 1j, "b": Z})


@given(st.complex_numbers(min_magnitude=0.1, max_magnitude=10), st.integers(0, 5))
def test_powers_of_any_number(z: complex, power: int) -> None:
    found = fg.numerical_gradient(lambda z: z**power, z)
    assert abs(found - power * z ** max(power - 1, 0)) <= 1e-9 * max(1, abs(z) ** power)


def test_single_precision_trees_numbers_and_out() -> None:
    single = fg.numerical_gradient(lambda z: np.sum(z**3), Z.astype(np.complex64))
    assert single.dtype == np.complex64
    np.testing.assert_allclose(single, 3 * Z**2, atol=2e-4)
    assert fg.numerical_gradient(lambda z: z**2, 1 + 2j) == pytest.approx(2 + 4j, rel=1e-12)
    assert isinstance(fg.numerical_gradient(lambda z: z**2, 1 + 2j), np.complex128)
    tree = fg.numerical_gradient(lambda p: p["a"] * p["b"][0] ** 2, {"a": 1.5, "b": np.array([1j])})
    assert tree["a"] == pytest.approx(-1, abs=1e-11)
    assert tree["b"][0] == pytest.approx(3j, abs=1e-11)
    out = np.empty_like(Z)
    assert fg.numerical_gradient(lambda z: np.sum(z), Z, out=out) is out
    with pytest.raises(TypeError, match="dtype complex128"):
        fg.numerical_gradient(lambda z: np.sum(z), Z, out=np.empty(Z.shape))
    assert fg.numerical_gradient(lambda z: 1.0, np.empty((0, 2), complex)).shape == (0, 2)
    assert fg.numerical_jacobian(lambda z: np.ones(3), np.empty(0, complex)).shape == (3, 0)
    assert fg.numerical_jacobian(lambda z: z[:0], Z[0]).shape == (0, 3)


def test_z_is_untouched_and_four_calls_an_entry_are_made_whatever_f_does_with_its_argument() -> None:
    z, seen = Z.copy(), []

    def f(z: Any) -> Any:
        seen.append(z)
        value = np.sum(z**2)
        z[:] = 0
        return value

    np.testing.assert_allclose(fg.numerical_gradient(f, z), 2 * Z, atol=1e-11)
    np.testing.assert_array_equal(z, Z)
    assert len(seen) == 4 * Z.size
    calls = holomorphic_gradient(lambda z: np.sum(z**2), as_point(Z, read=number_array)).calls
    assert calls.tolist() == np.full(Z.shape, 4).tolist()


def test_a_pole_gives_no_number_and_exceptions_arrive() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(fg.numerical_gradient(lambda z: np.nan * z, 1j))
    error = KeyError("mine")

    def raises(z: Any) -> Any:
        raise error

    with pytest.raises(KeyError) as caught:
        fg.numerical_gradient(raises, [1j, 2.0])
    assert caught.value is error
    assert "x[0]" in error.__notes__[0]
    with pytest.raises(TypeError, match="must return numbers"):
        fg.numerical_gradient(lambda z: None, [1j])


def test_options_that_mean_nothing_for_complex_x_are_refused_with_the_reason() -> None:
    def f(z: Any) -> Any:
        return np.sum(z)

    for options in ({"method": "forward"}, {"method": "adaptive"}, {"method": "complex"}, {"order": 4}):
        with pytest.raises(ValueError, match="Leave method and order out"):
            fg.numerical_gradient(f, Z, **options)
    with pytest.raises(ValueError, match="complex numbers are not ordered"):
        fg.numerical_gradient(f, Z, bounds=(0, 1))
    with pytest.raises(fg.StepError, match=r"lost to rounding at a part of x\[1\] = 1000000000000000"):
        fg.numerical_gradient(f, [1j, 1e15j], 1e-5)
    with pytest.raises(fg.StepError, match="positive finite"):
        fg.numerical_gradient(f, Z, -1.0)
    with pytest.raises(TypeError, match="extended precision"):
        fg.numerical_gradient(f, Z.astype(np.clongdouble))


def test_whoever_needs_real_numbers_says_so() -> None:
    for ask in (
        lambda: fg.gradient_check(np.sum, np.ones_like, Z),
        lambda: fg.reference.numerical_gradient(np.sum, Z),
        lambda: fg.reference.numerical_jacobian(np.sum, Z),
        lambda: fg.derivative(np.sin, Z),
    ):
        with pytest.raises(TypeError, match="differentiate by its real and its imaginary part"):
            ask()
