"""Chapters 1 and 2: the identities of matrix calculus, and the Jacobian of a linear map, on real data."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrad._check import gradient_check
from fastgrad._demo.page import Page, count
from fastgrad._jacobian import numerical_jacobian
from fastgrad._typing import Array
from fastgrad.layers import LinearLayer, softmax_cross_entropy


class Identity(NamedTuple):
    """A function of x, or of W, and the gradient that is claimed for it."""

    function: str
    gradient: str
    f: Callable[[Array], Any]
    claimed: Array
    at: Array


def identities() -> list[Identity]:
    """Return the identities, at images of digits and at the measurements of patients."""
    from sklearn.datasets import load_diabetes, load_digits

    images, labels = load_digits(return_X_y=True)
    images = images / 16.0
    x, a, A = images[0], images[1], images[:64]
    patients, progression = load_diabetes(return_X_y=True)
    b = (progression - progression.mean()) / progression.std()
    at = np.linspace(-1.0, 1.0, patients.shape[1])
    layer = LinearLayer(64, 10, rng=0)
    W = layer.W
    one = np.eye(10)[labels[0]]
    X, Y = images[:40].T, np.eye(10)[labels[:40]].T
    scores = layer.forward(x)
    _, by_scores = softmax_cross_entropy(scores, one)
    return [
        Identity("aᵀx", "a", lambda x: a @ x, a, x),
        Identity("xᵀx", "2x", lambda x: x @ x, 2 * x, x),
        Identity("xᵀAx", "(A + Aᵀ)x", lambda x: x @ A @ x, (A + A.T) @ x, x),
        Identity("‖x − a‖²", "2(x − a)", lambda x: np.sum((x - a) ** 2), 2 * (x - a), x),
        Identity(
            "‖Ax − b‖²", "2Aᵀ(Ax − b)",
            lambda x: np.sum((patients @ x - b) ** 2), 2 * patients.T @ (patients @ at - b), at,
        ),
        Identity(
            "‖Wx − b‖² by W", "2(Wx − b)xᵀ",
            lambda W: np.sum((W @ x - one) ** 2), 2 * np.outer(W @ x - one, x), W,
        ),
        Identity(
            "‖WX − Y‖²_F by W", "2(WX − Y)Xᵀ",
            lambda W: np.sum((W @ X - Y) ** 2), 2 * (W @ X - Y) @ X.T, W,
        ),
        Identity(
            "cross-entropy by scores", "softmax(s) − y",
            lambda s: np.log(np.sum(np.exp(s))) - one @ s, by_scores, scores,
        ),
    ]  # fmt: skip


def tell(page: Page) -> bool:
    """Tell chapter 1."""
    page.chapter("Identities: claimed, measured, matched")
    page.paragraph(
        """Each gradient is claimed by its formula and measured by central differences of the function alone, two calls
        an entry. The entry shown is the one that differs most. x and a are images of handwritten digits, A and b of the
        fifth the measurements of 442 patients with diabetes."""
    )
    rows, held = [], True
    for identity in identities():
        check = gradient_check(identity.f, identity.claimed, identity.at)
        held &= check.passed
        worst = check.worst
        rows.append(
            (
                identity.function,
                identity.gradient,
                count(check.compared),
                f"{worst.claimed:.10f}" if worst else "-",
                f"{worst.measured:.10f}" if worst else "-",
                f"{check.max_error:.1e} {page.mark(check.passed)}",
            )
        )
    page.table(("f", "gradient claimed", "entries", "claimed", "measured", "difference  "), rows, left=2)
    return held


def tell_jacobian(page: Page) -> bool:
    """Tell chapter 2."""
    from sklearn.datasets import load_diabetes

    page.chapter("The Jacobian of y = Ax is A")
    patients = load_diabetes().data
    A = patients[:3, :4]
    J = numerical_jacobian(lambda x: A @ x, np.ones(4))
    page.table(
        ("A: three patients, four measurements", "its Jacobian, measured"),
        [tuple("  ".join(f"{value:9.6f}" for value in row) for row in pair) for pair in zip(A, J, strict=True)],
        left=2,
    )
    whole = numerical_jacobian(lambda x: patients @ x, np.ones(10))
    W, x = LinearLayer(64, 10, rng=0).W, np.linspace(0.0, 1.0, 64)
    by_W = numerical_jacobian(lambda W: W @ x, W)
    errors = np.abs(whole - patients).max(), np.abs(by_W - np.einsum("ik,j->ikj", np.eye(10), x)).max()
    held = bool(np.allclose(J, A, atol=1e-8) and max(errors) < 1e-8)
    page.line()
    page.paragraph(
        f"""For all 442 patients, A of shape {whole.shape}: largest difference {errors[0]:.1e}. By a matrix, ∂(Wx)/∂W is
        an array of shape {by_W.shape} with x in the rows where output and weight belong together: largest difference
        {errors[1]:.1e} {page.mark(held)}"""
    )
    return held
