"""An f that computes in half precision: nothing right is accused, nor passes what its few digits cannot show."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import fastgrad as fg


def float16(values: Any) -> Any:
    return np.asarray(values, np.float16)


def bfloat16(values: Any) -> Any:
    bits = np.asarray(values, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).astype(np.uint32).view(np.float32)


ROUNDED: dict[str, Callable[[Any], Any]] = {"float16": float16, "bfloat16": bfloat16}
PLACES: dict[str, Callable[[Any, Any, float], float]] = {
    "value": lambda half, x, offset: half(offset + np.sum(np.sin(x))),
    "terms": lambda half, x, offset: half(offset + half(np.sum(half(np.sin(x)).astype(float)))),
    "mean": lambda half, x, offset: half(offset + np.mean(half(np.sin(x)).astype(float))),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ROUNDED)
@pytest.mark.parametrize("offset", [0.0, 5.0])
@pytest.mark.parametrize("mode", ["full", "search"])
def test_no_right_gradient_is_accused_and_no_gradient_of_zeros_passes(
    place: str, kind: str, offset: float, mode: str
) -> None:
    half, f = ROUNDED[kind], PLACES[place]
    for n in (10, 30):
        x = np.random.default_rng(n).standard_normal(n)
        right = np.cos(x) / (n if place == "mean" else 1)

        def value(x: Any) -> Any:
            return f(half, x, offset)

        if all(value(x + move) == value(x) for move in (-2.0, -1.0, 1.0, 2.0)):
            continue  # what is left of f is a constant
        assert fg.gradient_check(value, right, x, mode=mode, rng=1).verdict != "failed"
        assert fg.gradient_check(value, 0 * right, x, mode=mode, rng=1).verdict != "passed"


def test_the_report_names_the_precision() -> None:
    x = np.array([0.3, -0.7, 1.2])
    check = fg.gradient_check(lambda x: np.float16(np.sum(x**2)), 2 * x, x)
    assert check.verdict == "inconclusive"
    assert "All values of f are of half precision: compute them in double precision." in check.reasons


def test_whole_numbers_of_an_f_in_double_precision_do_not_make_it_one_in_half() -> None:
    def f(x: Any) -> Any:
        return float(np.sum(x) * 3)

    x = np.array([1.0, 2.0, 4.0])
    for eps in (0.5, 2.0**-7, None):
        assert fg.gradient_check(f, np.full(3, 3.0), x, eps).passed
        assert fg.gradient_check(f, np.array([3.0, 3.1, 3.0]), x, eps).verdict == "failed"
        assert fg.gradient_check(lambda x: 0.25, np.zeros(3), x, eps).passed
        assert fg.gradient_check(lambda x: 0.25, np.array([0.0, 0.5, 0.0]), x, eps).verdict == "failed"


@pytest.mark.parametrize("offset", [0.0, 0.7])
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32"])
def test_matrices_are_judged_alike(kind: str, offset: float) -> None:
    round_off = ROUNDED.get(kind, np.float32)

    def f(x: Any) -> Any:
        return round_off(2 * round_off(np.sin(x)).astype(float) + offset)

    def gradient(x: Any) -> Any:
        return round_off(np.cos(x) + offset).astype(float)

    x = np.random.default_rng(0).standard_normal(6)
    right, none = np.diag(2 * np.cos(x)), np.zeros((6, 6))
    for form in (np.asarray, sparse.csr_array):
        assert fg.jacobian_check(f, form(right), x).verdict != "failed"
        assert fg.jacobian_check(f, form(none), x).verdict != "passed"
    assert fg.hessian_check(lambda x: 0.0, np.diag(-np.sin(x)), x, grad=gradient).verdict != "failed"
    assert fg.hessian_check(lambda x: 0.0, none, x, grad=gradient).verdict != "passed"
