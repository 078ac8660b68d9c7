"""Hessians in stacks of points and on workers: the bits of single points, and errors at their place."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fastgrad as fg


def f(x: Any) -> Any:
    return np.prod(x) + np.sum(x**4)


def many_f(stack: Any) -> Any:
    return np.array([f(x) for x in stack])


def grad(x: Any) -> Any:
    return np.sin(x) * np.sum(x)


def many_grads(stack: Any) -> Any:
    return [grad(x) for x in stack]


@pytest.mark.parametrize("options", [{}, {"eps": 2.0**-10}, {"bounds": (-np.inf, 1.0)}, {"details": True}], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_bits_of_single_points(options: dict[str, Any], dtype: Any, rng: np.random.Generator) -> None:
    x = np.minimum(rng.normal(size=(2, 3)), 1.0).astype(dtype)
    for one, many, by in ((f, many_f, "f"), (grad, many_grads, "grad")):

        def hessian(g: Any, by: str = by, **more: Any) -> bytes:
            found = fg.numerical_hessian(g if by == "f" else None, x, grad=None if by == "f" else g, **options, **more)
            if isinstance(found, fg.Derivative):
                return bytes(found.value.tobytes() + found.error.tobytes() + found.calls.tobytes())
            return bytes(found.tobytes())

        expected = hessian(one)
        assert hessian(many, vectorized=True) == expected
        with ThreadPoolExecutor(3) as pool:
            assert hessian(one, workers=pool) == expected
            assert hessian(many, workers=pool, vectorized=True) == expected


def test_errors_arrive_with_their_entries() -> None:
    def bad(x: Any) -> Any:
        if x[1] != 2.0 and x[3] != 4.0:
            raise LookupError("there")
        return x @ x

    x = np.arange(1.0, 6.0)
    with pytest.raises(LookupError, match="there") as expected:
        fg.numerical_hessian(bad, x)
    with pytest.raises(LookupError, match="there") as found:
        fg.numerical_hessian(bad, x, workers=map)
    assert found.value.__notes__ == expected.value.__notes__
    with pytest.raises(fg.ShapeError, match="a value for each point"):
        fg.numerical_hessian(lambda X: 1.0, x, vectorized=True)


def test_trees_and_what_is_refused() -> None:
    x = {"a": np.arange(3.0), "b": 2.0}
    one = fg.numerical_hessian(lambda t: np.sum(t["a"] ** 3) * t["b"], x)
    many = fg.numerical_hessian(lambda t: np.sum(t["a"] ** 3, axis=1) * t["b"], x, vectorized=True)
    np.testing.assert_allclose(many, one, atol=1e-6)
    with pytest.raises(TypeError, match="x is a tree"):
        fg.numerical_hessian(None, x, grad=lambda t: t, vectorized=True)
    with pytest.raises(TypeError, match="adaptive"):
        fg.numerical_hessian(f, np.ones(2), method="adaptive", workers=2)
