"""The whole check of a hand-written linear layer beside JAX's own checker: the same layer, point and arithmetic."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row
from fastgrad._typing import Array

TITLE = "A hand-written linear layer checked, beside JAX's `check_grads`, float64"
BESIDE = ("jax",)
_SIZES = (256, 1024)
_CLAIMS = 10  # wrong ones, each with the sign of one entry turned


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each size; f is an ordinary callable to both, and JAX's is compiled."""
    del limits
    jax: Any = import_module("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        for n in _SIZES:
            yield _row(jax, n, effort)
    finally:
        jax.config.update("jax_enable_x64", before)


def _row(jax: Any, n: int, effort: Effort) -> Row:
    rng = np.random.default_rng(0)
    W, x, v = rng.standard_normal((n, n)) / np.sqrt(n), rng.standard_normal(n), rng.standard_normal(n)
    right = np.outer(v, x)

    def ours(claim: Array = right) -> fg.GradientCheck:
        return fg.gradient_check(lambda W: v @ (W @ x), claim, W, mode="search", rng=0)

    layer, point = jax.jit(_layer(jax, x, v, right)), jax.numpy.asarray(W)
    if not ours():
        raise AssertionError("a right backward did not pass.")
    notes = [_of_the_right_one(layer, point), _of_the_wrong_ones(jax, W, x, v, right, ours)]
    times = interleave({"fastgrad": ours, "JAX": lambda: _passes(layer, point)}, effort)
    return Row(
        f"whole check of a right gradient by search, {n} wide",
        times.best("fastgrad"),
        [Figure("fastgrad / JAX", times.ratio("fastgrad", "JAX"))],
        notes,
    )


def _layer(jax: Any, x: Array, v: Array, claim: Array) -> Any:
    """Return W ↦ ⟨v, Wx⟩ as a function of JAX's whose gradient is claimed by hand."""
    inputs, weights, gradient = (jax.numpy.asarray(part) for part in (x, v, claim))

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def f(W: Any) -> Any:
        return weights @ (W @ inputs)

    f.defvjp(lambda W: (f(W), None), lambda _, g: (g * gradient,))
    return f


def _passes(layer: Any, point: Any) -> bool:
    try:
        import_module("jax.test_util").check_grads(layer, (point,), order=1, modes=("rev",))
    except AssertionError:
        return False
    return True


def _of_the_right_one(layer: Any, point: Any) -> str:
    passed = sum(_passes(layer, point) for _ in range(_CLAIMS))
    return f"the right gradient: JAX passes {passed} of {_CLAIMS} times, each with a direction of its own"


def _of_the_wrong_ones(
    jax: Any, W: Array, x: Array, v: Array, right: Array, ours: Callable[[Array], fg.GradientCheck]
) -> str:
    """Count over single wrong entries what JAX passes, and what is named here."""
    missed = named = 0
    point = jax.numpy.asarray(W)
    for i, j in np.random.default_rng(1).integers(0, len(v), (_CLAIMS, 2)).tolist():
        claim = right.copy()
        claim[i, j] *= -1
        missed += _passes(_layer(jax, x, v, claim), point)
        named += ours(claim).wrong.indices.tolist() == [i * len(x) + j]
    return f"the sign of one entry wrong: JAX passes {missed} of {_CLAIMS}, fastgrad names {named}"
