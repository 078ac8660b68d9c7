"""The whole check of a hand-written linear layer beside torch's own checker, both on one thread.

Both are given the same layer, the same point and a backward of the same arithmetic; f is an ordinary callable to both.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_least, at_most
from fastgrad._typing import Array
from fastgrad.losses import LinearLoss

TITLE = "A hand-written linear layer checked, beside torch's `gradcheck`, float64"
BESIDE = ("torch",)
_WIDE, _SMALL = 1024, 256
_ROWS = 2  # of the small layer whose weights torch's slow mode is timed on: its cost is the same for each
#: What one entry of a million is multiplied by: its sign is wrong.
_OFF = -1.0


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield the search beside torch's fast mode, and the measured gradient and its check beside the slow one."""
    torch = import_module("torch")
    torch.set_num_threads(1)
    yield _fast(torch, effort)
    yield _slow(torch, effort)


def _layer(n: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, n)) / np.sqrt(n), rng.standard_normal(n), rng.standard_normal(n)


def _of_torch(
    torch: Any, x: Array, v: Array, fault: Callable[[Any], None] | None = None, rest: Array | None = None
) -> Callable[[Any], Any]:
    """Return W ↦ ⟨v, Wx⟩ as a custom function of torch's, with its backward by hand; W stands on rows that rest."""
    inputs, below = torch.from_numpy(x), None if rest is None else torch.from_numpy(rest)
    weights, others = (torch.from_numpy(part) for part in np.split(v, [len(v) - (0 if rest is None else len(rest))]))

    class Linear(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, W: Any) -> Any:
            y = torch.dot(weights, torch.mv(W, inputs))
            return y if below is None else y + torch.dot(others, torch.mv(below, inputs))

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            gradient = grad * torch.outer(weights, inputs)
            if fault is not None:
                fault(gradient)
            return gradient

    apply: Callable[[Any], Any] = Linear.apply
    return apply


def _fast(torch: Any, effort: Effort) -> Row:
    W, x, v = _layer(_WIDE)
    right, point = _of_torch(torch, x, v), torch.from_numpy(W).requires_grad_()

    def ours(claim: Callable[[Array], Array] = lambda W: np.outer(v, x)) -> fg.GradientCheck:
        return fg.gradient_check(lambda W: v @ (W @ x), claim, W, mode="search", rng=0)

    def theirs(f: Callable[[Any], Any] = right) -> bool:
        return bool(torch.autograd.gradcheck(f, (point,), fast_mode=True, raise_exception=False))

    if not ours() or not theirs():
        raise AssertionError("a right backward did not pass.")
    times = interleave({"torch": theirs, "fastgrad": ours}, effort)
    notes = [f"{ours().calls} calls", *_what_is_seen(torch, x, v, ours, theirs)]
    return Row(
        f"{_WIDE}×{_WIDE}, opaque f: whole check of a right gradient, mode search, over torch's fast mode",
        times.best("fastgrad"),
        [Figure("/ torch", times.ratio("fastgrad", "torch"), at_most(2))],
        notes,
    )


def _what_is_seen(torch: Any, x: Array, v: Array, ours: Callable[..., Any], theirs: Callable[..., bool]) -> list[str]:
    """Count over single wrong entries what torch passes, and what is named here."""
    missed = named = 0
    places = np.random.default_rng(1).integers(0, _WIDE, (10, 2)).tolist()
    for i, j in places:

        def fault(gradient: Any, i: int = i, j: int = j) -> None:
            gradient[i, j] *= _OFF

        def claim(W: Array, fault: Callable[[Any], None] = fault) -> Array:
            gradient: Array = np.outer(v, x)
            fault(gradient)
            return gradient

        missed += theirs(_of_torch(torch, x, v, fault))
        named += ours(claim).wrong.indices.tolist() == [i * _WIDE + j]
    return [f"the sign of one entry wrong: torch passes {missed} of {len(places)}, fastgrad names {named}"]


def _slow(torch: Any, effort: Effort) -> Row:
    W, x, v = _layer(_SMALL)
    part = torch.from_numpy(W[:_ROWS].copy()).requires_grad_()
    some, out = _of_torch(torch, x, v, rest=W[_ROWS:]), np.empty_like(W)
    f = LinearLoss(W, x, loss=v)
    claim = np.outer(v, x)
    if not fg.gradient_check(f, claim, W):
        raise AssertionError("a right backward did not pass.")
    times = interleave(
        {
            "torch": lambda: torch.autograd.gradcheck(some, (part,)),
            "measured": lambda: fg.numerical_gradient(f, W, out=out),
            "check": lambda: fg.gradient_check(f, claim, W),
        },
        effort,
        scale={"torch": _SMALL / _ROWS},
    )
    return Row(
        f"{_SMALL}×{_SMALL}: torch's slow mode over the measured gradient, and over the whole check",
        times.best("check"),
        [
            Figure("torch / measured", times.ratio("torch", "measured"), at_least(1e5)),
            Figure("torch / check", times.ratio("torch", "check"), at_least(2e4)),
        ],
        [
            "uses structure",
            f"torch timed on the weights of {_ROWS} of {_SMALL} rows in calls of the whole layer, extrapolated to all",
        ],
    )
