"""Values and points at the ends of the numbers: no call raises what is no sentence of its own, and none warns."""

import math
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._judge.probe import Probe
from fastgrad._point import as_point

X = np.array([0.5, -1.0, 2.0])
SIZES = (1e308, 1.7e308, 1e160, 1e-160, 1e-308, 5e-324, 0.0, math.inf, math.nan)
SHAPES: dict[str, Callable[[float, list[float]], float]] = {
    "linear": lambda s, v: s * sum(v),
    "square": lambda s, v: s * sum(t * t for t in v),
    "tanh": lambda s, v: s * sum(math.tanh(t) for t in v),
    "abs": lambda s, v: s * sum(abs(t) for t in v),
    "constant": lambda s, v: s,
    "jump": lambda s, v: s * (v[0] > 0.5) + s * (v[0] < 0.5) * 0.5,
}
#: What each verb is asked, of a scalar function f, an array-valued one F, and a point.
CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "gradient": lambda f, F, x: fg.numerical_gradient(f, x, eps="auto", details=True),
    "adaptive": lambda f, F, x: fg.numerical_gradient(f, x, method="adaptive", details=True),
    "forward": lambda f, F, x: fg.numerical_gradient(f, x, method="forward", details=True),
    "noise": lambda f, F, x: fg.numerical_gradient(f, x, "noise"),
    "Jacobian": lambda f, F, x: fg.numerical_jacobian(F, x, eps="auto", details=True),
    "adaptive Jacobian": lambda f, F, x: fg.numerical_jacobian(F, x, method="adaptive"),
    "sparse Jacobian": lambda f, F, x: fg.numerical_jacobian(
        F, x, "auto", sparsity=np.ones((3, 3), bool), details=True
    ),
    "Hessian": lambda f, F, x: fg.numerical_hessian(f, x, details=True),
    "adaptive Hessian": lambda f, F, x: fg.numerical_hessian(f, x, method="adaptive"),
    "direction": lambda f, F, x: fg.directional_derivative(f, x, np.ones(3), details=True),
    "uJ": lambda f, F, x: fg.numerical_vjp(F, x, np.ones(3)),
    "Hv": lambda f, F, x: fg.hessian_vector_product(f, x, np.ones(3)),
    "derivative": lambda f, F, x: fg.derivative(lambda t: f([t]), float(x[0]), details=True),
    "second derivative": lambda f, F, x: fg.derivative(lambda t: f([t]), float(x[0]), n=2),
    "sides": lambda f, F, x: fg.one_sided_derivatives(f, x),
    "check": lambda f, F, x: str(fg.gradient_check(f, np.ones(3), x, "auto")),
    "check of nothing": lambda f, F, x: str(fg.gradient_check(f, np.zeros(3), x, "auto")),
    "page": lambda f, F, x: fg.gradient_check(f, np.ones(3), x, "auto")._repr_html_(),
    "search": lambda f, F, x: fg.gradient_check(f, np.ones(3), x, mode="search", rng=0),
    "Jacobian check": lambda f, F, x: fg.jacobian_check(F, np.ones((3, 3)), x, "auto"),
    "Jacobian check of nothing": lambda f, F, x: fg.jacobian_check(F, np.zeros((3, 3)), x, "auto"),
    "Hessian check": lambda f, F, x: fg.hessian_check(f, np.ones((3, 3)), x),
    "steps": lambda f, F, x: fg.steps.by_noise(f, x),
}


def ask(call: str, size: float, shape: Callable[[float, list[float]], float], x: Any) -> None:
    """Ask one verb of one function, where every warning but one is an error."""

    def f(x: Any) -> float:
        return float(shape(size, [float(t) for t in np.ravel(x)]))

    with warnings.catch_warnings(), suppress(fg.StepError, fg.PatternError):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", fg.OneSidedWarning)
        CALLS[call](f, lambda x: [f(x), f(x) / 2, size], x)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e160])
def test_no_verb_stumbles_over_the_ends_of_the_numbers(call: str, scale: float) -> None:
    for size in SIZES:
        for shape in SHAPES.values():
            ask(call, size, shape, scale * X)


@pytest.mark.parametrize("call", CALLS)
def test_nor_where_x_is_of_single_precision_and_derivatives_are_beyond_its_numbers(call: str) -> None:
    for size in (1e308, 1e38, 1e-45, 0.0):
        for shape in SHAPES.values():
            ask(call, size, shape, X.astype(np.float32))


@pytest.mark.parametrize("call", ["check", "check of nothing", "Jacobian check", "Jacobian check of nothing", "search"])
@pytest.mark.parametrize("x", [np.float32(1.5e38) * X.astype(np.float32), 8e307 * X], ids=["single", "double"])
def test_checks_look_no_farther_than_the_numbers_go(call: str, x: Any) -> None:
    for size in (1e3, 1e-300):
        for shape in SHAPES.values():
            ask(call, size, shape, x)


def test_nor_do_they_where_entries_that_f_may_be_too_coarse_for_are_moved_together() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, steps = np.array([3e38, 1.0], np.float32), np.array([1e36, 1e-2])
        assert fg.gradient_check(lambda x: np.float32(1e3), np.zeros(2), x, steps).passed
        assert fg.gradient_check(lambda x: 1e6, np.zeros(2), np.array([1.7e308, 1.0]), [1e305, 1e-5]).passed


def test_what_f_is_where_x_is_infinite_is_no_slope() -> None:
    """The step that is looked at last of all leads out of the numbers, where this f is 1."""
    x, f = np.array([1.5e308]), lambda x: math.tanh(float(x[0]) / 1e300)
    probe = Probe(f, as_point(x), np.array([1e303]))
    assert probe.slope(0, 1e308) is None
    assert probe.right_slope(0, 1e308) is None


def test_noise_of_a_function_that_is_zero_at_x() -> None:
    for f, slope in ((lambda x: float(np.sum(x)), 1.0), (lambda x: 0.0, 0.0), (lambda x: float(x @ x), 0.0)):
        np.testing.assert_allclose(fg.numerical_gradient(f, np.zeros(2), "noise"), slope, atol=1e-9)
