"""Derivatives found in the complex plane: of an analytic f at real x by the complex step, and at complex x."""

from typing import Any

from fastgrad._complex.holomorphic import holomorphic_gradient, holomorphic_jacobian
from fastgrad._complex.step import complex_gradient, complex_jacobian
from fastgrad._estimates import Derivative
from fastgrad._point import Point
from fastgrad._typing import ScalarFunction, Step, VectorFunction


def plane_gradient(
    f: ScalarFunction, point: Point, eps: Step, method: str | None, order: int | None, bounds: Any, *, details: bool
) -> Derivative:
    """Return the gradient of a scalar f at a point, real or complex; the error bars are NaN without details."""
    _refuse(point, eps, method, order, bounds)
    if point.array.dtype.kind == "c":
        return holomorphic_gradient(f, point, eps)
    return complex_gradient(f, point, bounds, details=details)


def plane_jacobian(
    f: VectorFunction, point: Point, eps: Step, method: str | None, order: int | None, bounds: Any, *, details: bool
) -> Derivative:
    """Return the Jacobian of an array-valued f at a point, real or complex, as `plane_gradient` does."""
    _refuse(point, eps, method, order, bounds)
    if point.array.dtype.kind == "c":
        return holomorphic_jacobian(f, point, eps)
    return complex_jacobian(f, point, bounds, details=details)


def _refuse(point: Point, eps: Step, method: str | None, order: int | None, bounds: Any) -> None:
    """Raise for options that have no meaning here."""
    if point.array.dtype.kind != "c":
        if eps is not None or order is not None:
            raise TypeError(
                "the complex step is as small as can be and has no order of error: leave eps and order out."
            )
        return
    if method not in (None, "central") or order is not None:
        raise ValueError(
            "x is complex: df/dz is measured by central differences along the real and the imaginary axis, whose mean "
            f"errs with the fourth power of the step. Leave method and order out; got {method!r} and {order!r}."
        )
    if bounds is not None:
        raise ValueError("x is complex, and complex numbers are not ordered: leave bounds out.")
