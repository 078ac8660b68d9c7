"""Parameters of any layout, and those that share memory with others, are moved as they should be."""

from typing import Any

import numpy as np

import fastgrad as fg

X = np.random.default_rng(8).standard_normal((5, 4))


def test_parameters_of_any_layout_and_read_only_ones() -> None:
    store = np.random.default_rng(1).standard_normal((8, 6))
    for W in (store[::2, 1:4].T, store[:4, :3].T[::-1], np.asfortranarray(store[:3, :4])):
        layer = fg.LinearLayer(4, 3)
        layer.W = W
        layer.W.flags.writeable = False
        before = store.copy()
        assert fg.layer_check(layer, X).passed
        assert layer.W is W
        assert not W.flags.writeable
        assert np.array_equal(store, before)
        W.flags.writeable = True


class Sum:
    """x @ (A + B), where what is named may share memory with what is not, or with itself."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ (self.A + self.B)  # type: ignore[attr-defined]

    def backward(self, g: Any) -> Any:
        return self.x.T @ g


def test_an_unnamed_view_moves_with_its_parameter() -> None:
    layer: Any = Sum()
    layer.flat = np.arange(16.0)
    layer.A = layer.flat.reshape(4, 4)
    layer.B = layer.A.T
    claim = fg.layer_check(layer, X, gradients="A")
    assert claim.failed == ("A",)  # B moved, too, and backward speaks of A alone
    layer.B = layer.A.T.copy()
    assert fg.layer_check(layer, X, gradients="A").passed
    assert layer.A.base is layer.flat


def test_the_buffer_that_parameters_are_views_of_moves_with_them() -> None:
    class Flat:
        def __init__(self) -> None:
            self.flat = np.arange(1.0, 8.0)
            self.a, self.b = self.flat[:4], self.flat[4:]

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.flat[:4] + self.flat[4:].sum()

        def backward(self, g: Any) -> Any:
            return (g * self.x).sum(0), np.full(3, g.sum()), np.r_[(g * self.x).sum(0), [g.sum()] * 3]

    assert fg.layer_check(Flat(), X, gradients=("a", "b", None)).passed
    assert fg.layer_check(Flat(), X, gradients=(None, None, "flat")).passed
    whole_and_parts = fg.layer_check(Flat(), X, gradients=("a", "b", "flat"))
    assert whole_and_parts.failed == ("a", "b")  # they are not what forward reads
    assert "a shares memory with flat" in str(whole_and_parts)


def test_two_names_of_one_array_are_moved_apart_and_the_report_says_so() -> None:
    layer: Any = Sum()
    layer.A = layer.B = np.ones((4, 2))
    assert fg.layer_check(layer, X, gradients={"A": 0, "B": 0}).passed
    layer.backward = lambda g: 2 * layer.x.T @ g
    both = fg.layer_check(layer, X, gradients={"A": 0, "B": 0})
    assert set(both.failed) == {"A", "B"}
    assert "A shares memory with B; each was moved alone" in " ".join(str(both).split())
    assert fg.layer_check(layer, X, gradients={"A": 0}).passed
