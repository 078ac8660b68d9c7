"""A layer check leaves the layer as it found it, and starts every call from there."""

import dataclasses
import random
from collections import deque
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fastgrad as fg


class Stateful:
    """Caches, statistics in place, a counter, a history, generators, gradients that add up, a part with a part."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.W = rng.standard_normal((3, 4))
        self.grad_W = np.zeros((3, 4))
        self.mean = np.arange(4.0)
        self.count = 0
        self.history: list[Any] = [1]
        self.recent: deque[float] = deque([1.0], maxlen=2)
        self.seen = {"a"}
        self.cache: dict[str, Any] = {"x": None, "deep": [np.ones(2)]}
        self.rng = np.random.default_rng(5)
        self.old_rng = np.random.RandomState(5)
        self.plain_rng = random.Random(5)
        self.part = SimpleNamespace(values=np.zeros(3), last=None)

    def forward(self, x: Any) -> Any:
        self.mean *= 0.5
        self.mean += x.mean(0)
        self.count += 1
        self.history.append(x)
        self.recent.append(float(x[0, 0]))
        self.seen.add(str(self.count))
        self.cache["x"] = x
        self.cache["deep"][0] += 1
        self.new = x
        self.part.values[:] = 7
        self.part.last = x
        self.mask = self.rng.random(3) + self.old_rng.random_sample(3) + self.plain_rng.random() > 1.0
        return np.tanh(x @ self.W.T * self.mask + self.count)

    def backward(self, g: Any) -> Any:
        z = g * (1 - np.tanh(self.cache["x"] @ self.W.T * self.mask + self.count) ** 2) * self.mask
        self.grad_W += z.T @ self.cache["x"]
        del self.history[:]
        return z @ self.W


def remembered(layer: Stateful) -> tuple[Any, ...]:
    return (
        {name: id(value) for name, value in vars(layer).items()},
        list(vars(layer)),
        [(a, a.copy()) for a in (layer.W, layer.grad_W, layer.mean, layer.cache["deep"][0], layer.part.values)],
        (layer.count, list(layer.history), list(layer.recent), set(layer.seen), layer.cache["x"], layer.part.last),
        (layer.rng.bit_generator.state, layer.plain_rng.getstate(), layer.old_rng.get_state(legacy=False)),
    )


def assert_as_found(layer: Stateful, before: tuple[Any, ...]) -> None:
    ids, order, arrays, values, _ = before
    assert {name: id(value) for name, value in vars(layer).items()} == ids
    assert list(vars(layer)) == order
    assert all(np.array_equal(a, copy) for a, copy in arrays)
    assert remembered(layer)[3] == values
    np.testing.assert_equal(remembered(layer)[4], before[4])


X = np.random.default_rng(8).standard_normal((5, 4))
NAMES = {"x": 0, "W": "grad_W"}


def test_the_layer_is_left_as_it_was_found() -> None:
    layer, x, g = Stateful(), X.copy(), np.ones((5, 3))
    before = remembered(layer)
    check = fg.layer_check(layer, x, g, gradients=NAMES, rng=0)
    assert check.passed, check
    assert_as_found(layer, before)
    assert np.array_equal(x, X)
    assert np.array_equal(g, np.ones((5, 3)))


def test_it_is_left_so_when_it_fails_to_pass() -> None:
    layer = Stateful()
    layer.grad_W += 1  # what an earlier backward left: it is part of what this one leaves
    before = remembered(layer)
    check = fg.layer_check(layer, X, gradients=NAMES, rng=0)
    assert check.failed == ("W",)
    assert_as_found(layer, before)


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5, 20])
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_it_is_left_so_when_a_call_raises(at: int, method: str) -> None:
    class Raising(Stateful):
        calls = 0

        def forward(self, x: Any) -> Any:
            y = super().forward(x)
            self.step("forward")
            return y

        def backward(self, g: Any) -> Any:
            y = super().backward(g)
            self.step("backward")
            return y

        def step(self, name: str) -> None:
            if name == method:
                Raising.calls += 1
                if Raising.calls == at:
                    raise KeyboardInterrupt if at % 2 else OSError("full")

    layer = Raising()
    before = remembered(layer)
    if method == "backward" and at > 2:
        fg.layer_check(layer, X, gradients=NAMES)
    else:
        with pytest.raises((KeyboardInterrupt, OSError)):
            fg.layer_check(layer, X, gradients=NAMES)
    assert_as_found(layer, before)


def test_the_exception_says_which_entry_was_moved() -> None:
    class Touchy(fg.LinearLayer):
        def forward(self, x: Any) -> Any:
            if self.W[1, 2] > 0.5:
                raise OverflowError("too much")
            return super().forward(x)

    layer = Touchy(4, 3, rng=0)
    layer.W[1, 2] = 0.5
    with pytest.raises(OverflowError, match="too much") as caught:
        fg.layer_check(layer, X)
    assert "W[1, 2] plus its step" in caught.value.__notes__[0]


def test_forward_at_x_comes_right_before_backward() -> None:
    class Watching(fg.LinearLayer):
        log: list[Any] = []  # noqa: RUF012 - shared, so that it is not put back

        def forward(self, x: Any) -> Any:
            Watching.log.append((x.copy(), self.W.copy()))
            return super().forward(x)

        def backward(self, g: Any) -> Any:
            Watching.log.append("backward")
            return super().backward(g)

    layer = Watching(4, 3, rng=0)
    assert fg.layer_check(layer, X).passed
    at = [k for k, call in enumerate(Watching.log) if call == "backward"]
    assert len(at) == 2
    for k in at:
        x, W = Watching.log[k - 1]
        assert np.array_equal(x, X)
        assert np.array_equal(W, layer.W)


def test_a_layer_that_writes_into_what_it_is_given_harms_nobody() -> None:
    class Writing(fg.LinearLayer):
        def forward(self, x: Any) -> Any:
            y = super().forward(x)
            x *= 0
            self.b += 0.25
            return y

        def backward(self, g: Any) -> Any:
            found = super().backward(g)
            g *= 0
            return found[0], found[1].copy(), np.array(found[2])

    layer, x, g = Writing(4, 3, rng=0), X.copy(), np.ones((5, 3))
    W, b = layer.W.copy(), layer.b.copy()
    assert fg.layer_check(layer, x, g).passed
    for now, then in [(x, X), (g, np.ones((5, 3))), (layer.W, W), (layer.b, b)]:
        assert np.array_equal(now, then)


def test_a_layer_that_returns_one_buffer_each_time_is_judged_by_what_was_in_it() -> None:
    class Buffered(fg.LinearLayer):
        out = np.empty((5, 3))

        def forward(self, x: Any) -> Any:
            Buffered.out[:] = super().forward(x)
            return Buffered.out

    assert fg.layer_check(Buffered(4, 3, rng=0), X).passed


def test_slots_and_frozen_dataclasses() -> None:
    class Slotted:
        __slots__ = ("__dark", "cache", "w", "x")

        def __init__(self) -> None:
            self.w = np.array([1.0, 2.0, 3.0, 4.0])
            self.__dark = self.w

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.w + self.__dark

        def backward(self, g: Any) -> Any:
            return (g * self.x).sum(0) + g.sum(0)

    @dataclasses.dataclass(frozen=True)
    class Frozen:
        w: Any
        cache: dict[str, Any] = dataclasses.field(default_factory=dict)

        def forward(self, x: Any) -> Any:
            self.cache["x"] = x
            return x * self.w

        def backward(self, g: Any) -> Any:
            return (g * self.cache["x"]).sum(0)

    slotted, frozen = Slotted(), Frozen(np.arange(4.0))
    w, v = slotted.w, frozen.w
    assert fg.layer_check(slotted, X, gradients="w").passed
    assert fg.layer_check(frozen, X, gradients="w").passed
    assert slotted.w is w
    assert not hasattr(slotted, "x")
    assert frozen.w is v
    assert frozen.cache == {}


def test_a_random_layer_is_named_as_one_and_nothing_is_accused() -> None:
    class Dropout:
        gradient_names = ("x",)

        def forward(self, x: Any) -> Any:
            self.mask = np.random.rand(*x.shape) < 0.5
            return x * self.mask

        def backward(self, g: Any) -> Any:
            return g * self.mask

    check = fg.layer_check(Dropout(), X)
    assert check.verdict == "inconclusive"
    assert not check
    assert "different values for the same x" in str(check)
    with pytest.raises(fg.InconclusiveError, match="different values"):
        check.raise_if_failed()


def test_a_layer_that_holds_its_generator_is_not_random() -> None:
    class Dropout:
        gradient_names = ("x",)

        def __init__(self, factor: float) -> None:
            self.rng, self.factor = np.random.default_rng(0), factor

        def forward(self, x: Any) -> Any:
            self.mask = self.rng.random(x.shape) < 0.5
            return x * self.mask * 2

        def backward(self, g: Any) -> Any:
            return g * self.mask * self.factor

    assert fg.layer_check(Dropout(2.0), X).passed
    assert fg.layer_check(Dropout(1.0), X).failed == ("x",)
