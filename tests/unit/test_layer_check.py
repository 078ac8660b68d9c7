"""fastgrad.layer_check does what its docstring says."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from tests.unit.affine import Affine, doubled_row

X = np.random.default_rng(2).standard_normal((5, 4))


def leave(layer: Affine, x: Any, W: Any, b: Any) -> Any:
    layer.__dict__.update(grad_W=W, grads={"b": b})
    return x


def keep_all(layer: Affine, x: Any, W: Any, b: Any) -> None:
    layer.__dict__.update(dx=x, dW=W, db=b)


FORMS: list[tuple[Any, Any, tuple[str, ...]]] = [
    (None, ("x", "W", "b"), ("x", "W", "b")),
    (lambda layer, x, W, b: [x, W, b], ["x", "W", "b"], ("x", "W", "b")),
    (lambda layer, x, W, b: {"W": W, "b": b}, None, ("W", "b")),
    (lambda layer, x, W, b: {"dW": W, "dx": x}, {"x": "dx", "W": "dW"}, ("x", "W")),
    (lambda layer, x, W, b: {"W": W, "b": b}, ("b",), ("b",)),
    (lambda layer, x, W, b: W, "W", ("W",)),
    (lambda layer, x, W, b: (W,), ("W",), ("W",)),
    (lambda layer, x, W, b: x, {"x": 0}, ("x",)),
    (leave, {"x": 0, "W": "grad_W", "b": "grads.b"}, ("x", "W", "b")),
    (keep_all, {"x": "dx", "W": "dW", "b": "db"}, ("x", "W", "b")),
    (lambda layer, x, W, b: (x, W, b), (None, "W", None), ("W",)),
    (lambda layer, x, W, b: (x, W, b), {"W": 1, "b": -1, "x": None}, ("W", "b")),
    (lambda layer, x, W, b: (x, {"W": W, "b": b}), ("x", "params"), ("x", "params.W", "params.b")),
]


@pytest.mark.parametrize(("form", "gradients", "names"), FORMS)
def test_gradients_are_named_in_many_forms(form: Any, gradients: Any, names: tuple[str, ...]) -> None:
    layer = Affine(form)
    layer.params = layer.__dict__ if "params.W" in names else {}  # type: ignore[attr-defined]
    check = fg.layer_check(layer, X, gradients=gradients)
    assert check.passed, check
    assert tuple(check.checks) == names


def test_each_form_fails_when_its_gradients_are_doubled() -> None:
    for form, gradients, names in FORMS:
        right = form or (lambda layer, x, W, b: (x, W, b))
        layer = Affine(lambda layer, x, W, b, right=right: right(layer, 2 * x, 2 * W, 2 * b))
        layer.params = layer.__dict__ if "params.W" in names else {}  # type: ignore[attr-defined]
        assert fg.layer_check(layer, X, gradients=gradients).failed == names


def test_parameters_live_in_params_or_along_a_path() -> None:
    class Holder:
        def __init__(self) -> None:
            self.params = {"W": np.ones(4), "inner.b": np.ones(4)}
            self.parts = [Affine(), {"c": np.full(4, 0.5)}]

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.params["W"] + self.params["inner.b"] * self.parts[1]["c"]  # type: ignore[index]

        def backward(self, g: Any) -> Any:
            return (g * self.x).sum(0), g.sum(0) * 0.5, g.sum(0)

    check = fg.layer_check(Holder(), X, gradients=("W", "inner.b", "parts.1.c"))
    assert check.passed, check
    assert check.checks["parts.1.c"].worst is not None
    assert check.checks["parts.1.c"].worst.name.startswith("parts.1.c[")


def forward(params: Any, x: Any, power: float = 1.0) -> Any:
    return (x @ params["W"].T + params["more"]["b"]) ** power


def backward(params: Any, x: Any, g: Any, power: float = 1.0) -> Any:
    z = g * power * (x @ params["W"].T + params["more"]["b"]) ** (power - 1)
    return {"W": z.T @ x, "more": {"b": z.sum(0)}}, z @ params["W"]


PARAMS: dict[str, Any] = {"W": np.ones((3, 4)), "more": {"b": np.arange(3.0)}}


def test_a_pair_of_functions() -> None:
    check = fg.layer_check((forward, backward), X, params=PARAMS, gradients=("params", "x"))
    assert check.passed, check
    assert tuple(check.checks) == ("params.W", "params.more.b", "x")
    named = fg.layer_check((forward, lambda *a: backward(*a)[0]), X, params=PARAMS)
    assert tuple(named.checks) == ("W", "more.b")
    wrong = fg.layer_check((forward, lambda *a: {"W": 2 * backward(*a)[0]["W"]}), X, params=PARAMS)
    assert wrong.failed == ("W",)
    assert np.array_equal(PARAMS["W"], np.ones((3, 4)))


def test_args_and_kwargs_reach_forward_and_both_functions_of_a_pair() -> None:
    for rest in ({"args": (3.0,)}, {"kwargs": {"power": 3.0}}):
        options: dict[str, Any] = {"params": PARAMS, "gradients": ("params", "x"), **rest}
        assert fg.layer_check((forward, backward), X, **options).passed

    class Scaled(Affine):
        def forward(self, x: Any, factor: float = 1.0) -> Any:
            self.factor = factor
            return factor * super().forward(x)

        def backward(self, g: Any) -> Any:
            return super().backward(self.factor * g)

    assert fg.layer_check(Scaled(), X, gradients=("x", "W", "b"), args=(2.5,)).passed


def test_one_sample_lists_and_integers() -> None:
    for x in (X[0], [1, 2, 3, 4], np.arange(4), [[1.0, 2.0, 3.0, 4.0]]):
        assert fg.layer_check(fg.LinearLayer(4, 3, rng=0), x).passed

    class Doubled:
        gradient_names = ("x",)

        def forward(self, x: Any) -> Any:
            return 2 * x  # of a list, the list twice

        def backward(self, g: Any) -> Any:
            return 2 * g

    assert fg.layer_check(Doubled(), [1.0, 2.0]).passed


def test_numbers_and_lists_as_parameters() -> None:
    class Mixed:
        gradient_names = ("x", "a", "b", "c")

        def __init__(self) -> None:
            self.a, self.b, self.c = 0.5, [1.0, 2.0, 3.0, 4.0], np.float32(2)

        def forward(self, x: Any) -> Any:
            assert isinstance(self.a, float)
            assert isinstance(self.b, list)
            self.x = x
            return x * self.a * self.b * self.c

        def backward(self, g: Any) -> Any:
            b = np.array(self.b)
            a, c = (g * self.x * b).sum(), self.a * (g * self.x * b).sum()
            return g * self.a * b * self.c, a * self.c, (g * self.x).sum(0) * self.a * self.c, c

    assert fg.layer_check(Mixed(), X).passed


def test_trees_in_and_out() -> None:
    class Pair:
        gradient_names = ("x", "w")
        w = np.ones(4)

        def forward(self, x: Any) -> Any:
            self.x = x
            return {"sum": (x["a"] + x["b"]) * self.w, "first": x["a"][0]}

        def backward(self, g: Any) -> Any:
            a = g["sum"] * self.w
            w = (g["sum"] * (self.x["a"] + self.x["b"])).sum(0)
            return {"b": a, "a": a + np.eye(1, 5).T * g["first"]}, w

    x = {"a": X, "b": X[::-1]}
    check = fg.layer_check(Pair(), x)
    assert check.passed, check
    assert fg.layer_check(Pair(), x, {"sum": np.ones((5, 4)), "first": np.zeros(4)}).passed
    assert "w" not in vars(Pair())


def test_single_precision_is_judged_as_such() -> None:
    layer = fg.LinearLayer(40, 30, rng=0, dtype=np.float32)
    x = np.random.default_rng(0).standard_normal((50, 40))
    for given in (x.astype(np.float32), x):
        check = fg.layer_check(layer, given)
        assert check.passed, check

    class Rounded(fg.LinearLayer):
        def forward(self, x: Any) -> Any:
            return super().forward(x).astype(np.float32)

    rounded = fg.layer_check(Rounded(4, 3, rng=0), X)
    assert rounded.passed, rounded
    assert {check.atol for check in rounded.checks.values()} == {1e-3}


def test_steps_and_tolerances_are_passed_on() -> None:
    layer = fg.LinearLayer(4, 3, rng=0)
    check = fg.layer_check(layer, X, eps=1e-4, atol=1e-3, rtol=1e-2).checks["W"]
    assert (check.atol, check.rtol, check.eps) == (1e-3, 1e-2, "0.0001")
    assert fg.layer_check(layer, X * 1e9, eps="auto", atol=1.0, rtol=1e-4).passed
    with pytest.raises(TypeError, match="rng must be None, a seed"):
        fg.layer_check(layer, X, rng=-1)
    with pytest.raises(fg.StepError, match="eps"):
        fg.layer_check(layer, X, eps=-1.0)
    with pytest.raises(ValueError, match="atol"):
        fg.layer_check(layer, X, atol=-1.0)


def test_the_seed_replays_a_check() -> None:
    first = fg.layer_check(Affine(doubled_row), X, gradients=("x", "W", "b"))
    again = fg.layer_check(Affine(doubled_row), X, gradients=("x", "W", "b"), rng=first.seed)
    assert str(first) == str(again)
    other = fg.layer_check(Affine(doubled_row), X, gradients=("x", "W", "b"), rng=first.seed + 1)
    assert first.worst != other.worst
    drawn = [
        fg.layer_check(Affine(), X, gradients=("x", "W", "b"), rng=np.random.default_rng(4)).seed for _ in range(2)
    ]
    assert drawn[0] == drawn[1]


def test_the_outputs_say_where_it_goes_wrong() -> None:
    row = fg.layer_check(Affine(doubled_row), X, gradients=("x", "W", "b"))
    assert "wrong for the outputs y[:, 1] alone, 1 of 3 slices" in str(row)

    class FirstOnly(Affine):
        def backward(self, g: Any) -> Any:
            return super().backward(g * (np.arange(5) != 3)[:, None])

    sample = fg.layer_check(FirstOnly(), X, gradients=("x", "W", "b"))
    assert str(sample).count("y[3, :] alone, 1 of 5 slices") == 3

    class Wide(fg.LinearLayer):
        def backward(self, g: Any) -> Any:
            scale = np.ones(300)
            scale[[17, 18, 250]] = 0
            return super().backward(g * scale)

    wide = fg.layer_check(Wide(2, 300, rng=0), X[:, :2])
    assert "y[:, 17], y[:, 18], y[:, 250] alone, 3 of 300 slices" in " ".join(str(wide.checks["b"]).split())
    everywhere = fg.layer_check(Affine(lambda layer, x, W, b: (x, 2 * W, b)), X, gradients=("x", "W", "b"))
    assert "outputs" not in str(everywhere)


def test_the_calls_are_counted() -> None:
    class Counting(Affine):
        counts = {"forward": 0, "backward": 0}  # noqa: RUF012 - of the class, so that it is not put back

        def forward(self, x: Any) -> Any:
            self.counts["forward"] += 1
            return super().forward(x)

        def backward(self, g: Any) -> Any:
            self.counts["backward"] += 1
            return super().backward(g)

    check = fg.layer_check(Counting(), X, gradients=("x", "W", "b"))
    assert Counting.counts == {"forward": check.forwards, "backward": check.backwards}
    assert check.backwards == 2
    assert check.forwards == 4 + 2 * (20 + 12 + 3) + 2 * 3


def test_empty_layers() -> None:
    check = fg.layer_check(fg.LinearLayer(0, 3, rng=0), np.ones((2, 0)))
    assert check.passed
    assert fg.layer_check(fg.LinearLayer(2, 0, rng=0), np.ones((2, 2))).passed
