"""Functions of one variable that defeat a fixed step: of extreme scale or curvature, kinked, oscillating, noisy."""

from typing import Any

import numpy as np

from fastgrad.problems import _special
from fastgrad.problems._values import ScalarProblem

__all__ = ["HARD"]


def _noise(x: Any) -> Any:
    """Return a number in [-1, 1) that depends on every bit of x and looks random (the mixer of splitmix64)."""
    z = np.asarray(x, dtype=np.float64).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-52 - 1


def _cosh_squared(x: Any) -> Any:
    return np.cosh(x) ** 2


def _wiggle(x: Any) -> Any:
    return np.where(x == 0, 0.0, x * x * np.sin(1 / x))


def _wiggle_derivative(x: Any) -> Any:
    return np.where(x == 0, 0.0, 2 * x * np.sin(1 / x) - np.cos(1 / x))


def _weierstrass(x: Any) -> Any:
    return sum(0.5**k * np.cos(3**k * x) for k in range(12))


def _weierstrass_derivative(x: Any) -> Any:
    return -sum(1.5**k * np.sin(3**k * x) for k in range(12))


_SCALE = (
    ScalarProblem("log_tiny", np.log, 1e-8, lambda x: 1 / x, "1e-8 from the edge of the domain."),
    ScalarProblem("sqrt_tiny", np.sqrt, 1e-6, lambda x: 0.5 / np.sqrt(x), "1e-6 from the edge of the domain."),
    ScalarProblem("log_large", np.log, 2.0**50, lambda x: 1 / x, "Any step below 1 is lost to rounding."),
    ScalarProblem("power_large", lambda x: x**1.5, 1e12, lambda x: 1.5 * np.sqrt(x), "x = 1e12."),
    ScalarProblem("cos_million", np.cos, 1e6, lambda x: -np.sin(x), "x is large against the scale on which f changes."),
    ScalarProblem(
        "offset_square",
        lambda x: 1e8 + x * x,
        1.0,
        lambda x: 2 * x,
        "A large constant, with which most digits of the difference are lost.",
    ),
    ScalarProblem("exp_huge", np.exp, 600.0, np.exp, "f = f' = 4e260."),
    ScalarProblem("exp_vanishing", np.exp, -600.0, np.exp, "f = f' = 3e-261."),
    ScalarProblem(
        "erfc_tail",
        _special.erfc,
        5.0,
        lambda x: -2 / np.sqrt(np.pi) * np.exp(-x * x),
        "f = 1.5e-12, falling faster than exponentially. DLMF 7.2.2.",
        takes_complex=False,
    ),
    ScalarProblem(
        "michaelis_menten",
        lambda x: x / (x + 1e-10),
        1e-10,
        lambda x: 1e-10 / (x + 1e-10) ** 2,
        "All of the change is at x = 1e-10. Michaelis and Menten, Biochemische Zeitschrift 49 (1913).",
    ),
    ScalarProblem(
        "exp_inverse",
        lambda x: np.exp(1 / x),
        0.0625,
        lambda x: -np.exp(1 / x) / (x * x),
        "An essential singularity at 0: each derivative is hundreds of times the one before.",
    ),
    ScalarProblem(
        "arcsin_edge",
        np.arcsin,
        1 - 2.0**-20,
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        "1e-6 from the edge of the domain, on the upper side.",
        takes_complex=False,
    ),
)

_STEEP = (
    ScalarProblem("sin_100x", lambda x: np.sin(100 * x), 0.5, lambda x: 100 * np.cos(100 * x), "Fast oscillation."),
    ScalarProblem(
        "tanh_50x", lambda x: np.tanh(50 * x), 0.03125, lambda x: 50 / _cosh_squared(50 * x), "A steep switch."
    ),
    ScalarProblem(
        "arctan_1000x",
        lambda x: np.arctan(1000 * x),
        0.0009765625,
        lambda x: 1000 / (1 + (1000 * x) ** 2),
        "A steeper switch with poles at ±i/1000.",
    ),
    ScalarProblem(
        "fermi_edge",
        lambda x: 1 / (1 + np.exp(1024 * (x - 1))),
        1.001953125,
        lambda x: -256 / _cosh_squared(512 * (x - 1)),
        "Fermi's distribution, an edge of width 1/1024 at x = 1.",
    ),
    ScalarProblem(
        "narrow_gaussian",
        lambda x: np.exp(-((1024 * x) ** 2) / 2),
        0.0009765625,
        lambda x: -(1024**2) * x * np.exp(-((1024 * x) ** 2) / 2),
        "Flat at any distance above 0.01.",
    ),
    ScalarProblem(
        "near_pole",
        lambda x: 1 / (x - 1),
        1.0009765625,
        lambda x: -1 / (x - 1) ** 2,
        "A pole one thousandth away: a step across it tells nothing.",
    ),
    ScalarProblem(
        "tan_near_pole", np.tan, 1.5703125, lambda x: 1 / np.cos(x) ** 2, "A pole at π/2, five ten-thousandths away."
    ),
    ScalarProblem(
        "two_scales",
        lambda x: np.sin(x) + np.sin(1000 * x) / 1000,
        0.25,
        lambda x: np.cos(x) + np.cos(1000 * x),
        "A ripple too small to be seen in f carries a fifth of f'.",
    ),
    ScalarProblem(
        "weierstrass",
        _weierstrass,
        0.5,
        _weierstrass_derivative,
        "Twelve terms of a function that is nowhere differentiable, up to frequency 3^11. Weierstrass (1872).",
    ),
    ScalarProblem(
        "x2_sin_inverse",
        _wiggle,
        0.0078125,
        _wiggle_derivative,
        "x² sin(1/x) oscillates with frequency 1/x² = 16384, faster towards 0.",
    ),
)

_KINKED = (
    ScalarProblem(
        "x2_sin_inverse_at_0",
        _wiggle,
        0.0,
        _wiggle_derivative,
        "Differentiable at 0, where its derivative is not continuous.",
        natural_size=1.0,
        takes_complex=False,
    ),
    ScalarProblem(
        "x_abs_x",
        lambda x: x * np.abs(x),
        0.0,
        lambda x: 2 * np.abs(x),
        "The second derivative jumps at 0: differences err by h, and no extrapolation in h² helps.",
        natural_size=1.0,
        takes_complex=False,
    ),
    ScalarProblem(
        "huber",
        lambda x: np.where(np.abs(x) <= 1, x * x / 2, np.abs(x) - 0.5),
        1.0,
        lambda x: np.clip(x, -1.0, 1.0),
        "At the joint of its parabola and its line. Huber, Annals of Mathematical Statistics 35 (1964).",
        takes_complex=False,
    ),
    ScalarProblem(
        "abs_near_kink", np.abs, 1e-6, np.sign, "A kink 1e-6 away: longer steps see it.", takes_complex=False
    ),
    ScalarProblem("cube_at_0", lambda x: x * x * x, 0.0, lambda x: 3 * x * x, "Flat: f'' = 0 too.", natural_size=1.0),
)

_NOISY = (
    ScalarProblem(
        "noisy_sin",
        lambda x: np.sin(x) + 1e-9 * _noise(x),
        1.0,
        np.cos,
        "sin with a deterministic noise of 1e-9; the derivative is that of sin.",
        noise=1e-9,
        takes_complex=False,
    ),
    ScalarProblem(
        "noisy_exp",
        lambda x: np.exp(x) * (1 + 1e-6 * _noise(x)),
        1.0,
        np.exp,
        "exp with a deterministic relative noise of 1e-6, as of an iteration stopped early.",
        noise=2.8e-6,
        takes_complex=False,
    ),
    ScalarProblem(
        "single_precision_sin",
        lambda x: np.sin(x).astype(np.float32).astype(np.float64),
        1.0,
        np.cos,
        "sin, its value rounded to single precision: a staircase.",
        noise=3e-8,
        takes_complex=False,
    ),
    ScalarProblem(
        "cancelling",
        lambda x: (1 - np.cos(x)) / (x * x),
        0.0009765625,
        lambda x: _special.sinc(x / 2) * _special.sinc_derivative(x / 2) / 2,
        "(1 - cos x)/x² written so that it cancels: rounding alone makes it noisy to 1e-10.",
        noise=1.2e-10,
        takes_complex=False,
    ),
)

HARD = (*_SCALE, *_STEEP, *_KINKED, *_NOISY)
