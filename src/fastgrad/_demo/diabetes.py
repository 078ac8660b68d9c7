"""Chapter 5: least squares by gradient descent on the diabetes data, against the closed form."""

import time
import warnings
from dataclasses import dataclass

import numpy as np

from fastgrad import _backend
from fastgrad._check import gradient_check
from fastgrad._demo.page import Page, count, duration, two_digits
from fastgrad._least_squares import least_squares_gd
from fastgrad._typing import Array, Float64Array

RATE, TOO_FAST, STEPS, LOOP_STEPS = 0.2, 0.26, 10_000, 500


@dataclass(frozen=True)
class Fit:
    """What the chapter leaves to the figures and the ending."""

    names: list[str]
    closed: Float64Array
    descent: Array
    ridged: Array
    losses: dict[str, Float64Array]
    optimum: float
    held: bool


def tell(page: Page) -> Fit:
    """Tell the chapter."""
    from sklearn.datasets import load_diabetes

    page.chapter("Least squares on 442 patients")
    data = load_diabetes(scaled=False)
    A = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    b = (data.target - data.target.mean()) / data.target.std()
    n, p = A.shape
    closed = np.linalg.solve(A.T @ A, A.T @ b)
    optimum = float(np.mean((A @ closed - b) ** 2))
    start = time.perf_counter()
    result = least_squares_gd(A, b, RATE, STEPS, reduction="mean")
    seconds = time.perf_counter() - start
    loop = textbook_seconds(A, b)
    apart = float(np.abs(result.x - closed).max())
    ridged = least_squares_gd(A, b, RATE, STEPS, ridge=0.1, reduction="mean").x
    ridge_apart = float(np.abs(ridged - np.linalg.solve(A.T @ A + n * 0.1 * np.eye(p), A.T @ b)).max())
    check = gradient_check(lambda x: np.mean((A @ x - b) ** 2), lambda x: 2 / n * A.T @ (A @ x - b), np.zeros(p))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runaway = least_squares_gd(A, b, TOO_FAST, 200, reduction="mean")
    held = apart < 1e-8 and ridge_apart < 1e-8 and check.passed and runaway.diverged and len(caught) == 1
    page.paragraph(
        f"""{p} standardised measurements of {n} patients predict how the disease went on. {count(STEPS)} steps of
        gradient descent at rate {RATE} took {duration(seconds)} in one {_backend.NAME} loop; the textbook's loop in
        NumPy would take {duration(loop)}, {two_digits(loop / seconds)} times as long (measured on {LOOP_STEPS} steps,
        extrapolated)."""
    )
    page.line()
    page.table(
        ("", "loss", "explained", "furthest weight from closed form"),
        [
            ("closed form, (AᵀA)⁻¹Aᵀb", f"{optimum:.10f}", f"{1 - optimum:.2%}", "-"),
            ("gradient descent", f"{result.loss:.10f}", f"{1 - result.loss:.2%}", f"{apart:.1e}"),
            ("the same with ridge 0.1", *explained(A, b, ridged), f"{ridge_apart:.1e} (of the ridge's)"),
        ],
    )
    page.line()
    said = " ".join(str(caught[0].message).split()) if caught else "nothing"
    page.paragraph(
        f"The gradient that drives it: largest error {check.max_error:.1e}. At rate {TOO_FAST} fastgrad says: “{said}” "
        f"{page.mark(held)}"
    )
    curves = {
        f"rate {rate}": least_squares_gd(A, b, rate, 200, reduction="mean").losses for rate in (0.005, 0.02, RATE)
    }
    curves[f"rate {TOO_FAST}"] = runaway.losses
    return Fit(list(data.feature_names), closed, result.x, ridged, curves, optimum, held)


def explained(A: Array, b: Array, x: Array) -> tuple[str, str]:
    """Return the mean squared residual, and the share of the variance that is explained, as cells."""
    loss = float(np.mean((A @ x - b) ** 2))
    return f"{loss:.10f}", f"{1 - loss:.2%}"


def textbook_seconds(A: Array, b: Array) -> float:
    """Return what all steps would take in the textbook's loop, from some of them."""
    w, n, losses = np.zeros(A.shape[1]), len(A), []
    start = time.perf_counter()
    for _ in range(LOOP_STEPS):
        residual = A @ w - b
        losses.append(np.mean(residual**2))
        w = w - RATE * ((2 / n) * A.T @ residual)
    return (time.perf_counter() - start) * STEPS / LOOP_STEPS
