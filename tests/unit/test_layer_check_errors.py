"""fastgrad.layer_check says in a sentence what it cannot do, and which parameters it cannot replace."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from tests.unit.affine import Affine

X = np.random.default_rng(2).standard_normal((5, 4))


ERRORS: list[tuple[type[Exception], str, Any, dict[str, Any]]] = [
    (TypeError, "must be named", Affine(), {}),
    (TypeError, "is the class LinearLayer", fg.LinearLayer, {}),
    (TypeError, "has no backward", type("F", (), {"forward": lambda self, x: x})(), {}),
    (TypeError, "a pair of callables", (len,), {}),
    (TypeError, "params must be a mapping", (len, len), {"params": [np.ones(3)]}),
    (TypeError, "params belongs to a pair", Affine(), {"params": {}}),
    (fg.ShapeError, r"returned 3 values, and gradients names 2: x, W", Affine(), {"gradients": ("x", "W")}),
    (fg.ShapeError, "position 5", Affine(), {"gradients": {"W": 5}}),
    (AttributeError, "no parameter 'V'.*Arrays that it holds: W, b", Affine(), {"gradients": ("x", "V", "b")}),
    (AttributeError, "for that of W at 'dW'", Affine(), {"gradients": {"W": "dW"}}),
    (KeyError, "without 'b'", Affine(lambda layer, x, W, b: {"W": W}), {"gradients": ("W", "b")}),
    (fg.ShapeError, r"gradient of W has shape \(4, 3\); W has \(3, 4\)", Affine(lambda layer, x, W, b: W.T), {
        "gradients": "W"}),
    (ValueError, "claims no gradient", Affine(lambda layer, x, W, b: None), {"gradients": "W"}),
    (fg.ShapeError, r"grad_output has shape \(3,\); expected \(5, 3\)", Affine(), {
        "gradients": ("x", "W", "b"), "grad_output": np.ones(3)}),
    (TypeError, "backward's gradient of W", Affine(lambda layer, x, W, b: W * 1j), {"gradients": "W"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "layer", "options"), ERRORS)
def test_errors_are_sentences(kind: type[Exception], message: str, layer: Any, options: dict[str, Any]) -> None:
    with pytest.raises(kind, match=message):
        fg.layer_check(layer, X, **options)


def test_a_parameter_that_is_computed_cannot_be_replaced() -> None:
    class Computed(Affine):
        @property
        def V(self) -> Any:
            return 2 * self.W

    with pytest.raises(TypeError, match="parameter V of Computed cannot be replaced"):
        fg.layer_check(Computed(), X, gradients=(None, "V", None))


def test_a_parameter_behind_a_property_is_replaced_where_it_is_held() -> None:
    class Behind(Affine):
        @property
        def W(self) -> Any:
            return self._held["W"]

        @W.setter
        def W(self, value: Any) -> None:
            self._held = {"W": value}

    layer = Behind()
    W = layer.W
    assert fg.layer_check(layer, X, gradients=("x", "W", "b")).passed
    assert layer.W is W


def test_forward_that_changes_its_shape_is_an_error() -> None:
    class Shifty(Affine):
        def forward(self, x: Any) -> Any:
            y = super().forward(x)
            return y if self.b[0] == Affine().b[0] else y[:, :2]

    with pytest.raises(fg.ShapeError, match=r"returned \(5, 3\) at first, then \(5, 2\)"):
        fg.layer_check(Shifty(), X, gradients=("x", "W", "b"))


@pytest.mark.parametrize(
    ("turned", "hint"),
    [
        (lambda dx, dW, db, g: (dx, dW.T, db), "Transposed it would fit"),
        (lambda dx, dW, db, g: (dx, dW, g), "Summed over axis 0 it would fit: is the sum over the samples of a batch"),
    ],
)
def test_a_gradient_of_another_shape_is_told_what_would_fit(turned: Any, hint: str) -> None:
    class Off(Affine):
        def backward(self, g: Any) -> Any:
            return turned(*super().backward(g), g)

    with pytest.raises(fg.ShapeError, match=hint):
        fg.layer_check(Off(), X, gradients=("x", "W", "b"))


def test_names_without_an_order_or_twice_the_same_are_refused() -> None:
    with pytest.raises(TypeError, match="gradients is a set, which has no order"):
        fg.layer_check(Affine(), X, gradients={"x", "W", "b"})
    with pytest.raises(ValueError, match="gradients names 'W' twice"):
        fg.layer_check(Affine(), X, gradients=("x", "W", "W"))


def test_a_parameter_of_another_library_is_refused_by_its_name() -> None:
    class Tensor:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            return np.ones(3)

    class Foreign(Affine):
        def __init__(self) -> None:
            super().__init__()
            self.t = Tensor()

    with pytest.raises(TypeError, match="parameter t of Foreign is a Tensor, which no array can stand for"):
        fg.layer_check(Foreign(), X, gradients=(None, "t", None))
