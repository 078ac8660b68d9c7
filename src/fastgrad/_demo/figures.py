"""The ending: the textbook's figures as PNG files."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fastgrad import plot
from fastgrad._demo.diabetes import Fit
from fastgrad._demo.digits import Trained
from fastgrad._demo.page import Page
from fastgrad._errors import DivergenceWarning
from fastgrad._least_squares import least_squares_gd

#: The textbook's example in two unknowns.
A, B = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([4.0, 5.0])
SPAN = (-1.0, 4.0)


def tell(page: Page, folder: Path, net: Trained, fit: Fit) -> None:
    """Save the figures and name the folder."""
    page.chapter("The figures")
    saved = [
        save(folder / "loss-landscape.png", (6.8, 5.4), landscape),
        save(folder / "descent-field.png", (5.8, 5.4), field),
        save(folder / "loss-curves.png", (16.0, 5.0), lambda axes: curves(axes, net, fit), panels=3),
        save(folder / "weights.png", (8.0, 5.0), lambda axes: weights(axes, fit)),
    ]
    says = (
        "‖Ax − b‖² over two unknowns, with its minimum",
        "the negative gradient, which points downhill",
        "the textbook's rates, the diabetes data, the digits",
        "the weights by closed form, by descent, and with ridge, side by side",
    )
    page.table(("file", "shows"), [(path.name, text) for path, text in zip(saved, says, strict=True)], left=2)
    page.line()
    page.line(f"   in {folder.resolve()}")


def save(path: Path, size: tuple[float, float], draw: Callable[[Any], None], panels: int = 1) -> Path:
    """Draw a figure of some panels side by side, of a size in inches, and save it without any window."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots(1, panels))
    figure.savefig(path, dpi=130)
    return path


def landscape(ax: Any) -> None:
    """Draw the landscape of the textbook's example."""
    plot.loss_landscape(A, B, ax, x1=SPAN, x2=SPAN)
    ax.set_aspect("equal")


def field(ax: Any) -> None:
    """Draw the descent field of the textbook's example."""
    plot.descent_field(A, B, ax, x1=SPAN, x2=SPAN)
    ax.set_aspect("equal")


def curves(axes: Any, net: Trained, fit: Fit) -> None:
    """Draw the descents: the textbook's experiment at its four rates, the diabetes data, the net."""
    draws = np.random.RandomState(0)
    data, values = draws.randn(10, 3), draws.randn(10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        losses = {f"rate {r}": least_squares_gd(data, values, r, 200).losses for r in (0.001, 0.01, 0.05, 0.2)}
    best = np.linalg.lstsq(data, values, rcond=None)[0]
    optimum = float(np.sum((data @ best - values) ** 2))
    plot.loss_curve(losses, axes[0], optimum=optimum, title="The textbook's experiment")
    plot.loss_curve(fit.losses, axes[1], optimum=fit.optimum, title="Diabetes, mean squared error")
    plot.loss_curve(net.losses, axes[2], title=f"Digits, {net.accuracy:.1%} read", xlabel="epoch")


def weights(ax: Any, fit: Fit) -> None:
    """Draw the weights of the diabetes data."""
    vectors = {"closed form": fit.closed, "gradient descent": fit.descent, "with ridge 0.1": fit.ridged}
    plot.weights(vectors, ax, names=fit.names, title="Diabetes: the weights side by side")
