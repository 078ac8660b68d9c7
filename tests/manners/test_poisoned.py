"""Unset memory never shows: whatever np.empty brings, the bits are the same."""

from typing import Any

import numpy as np
import pytest


@pytest.mark.parametrize("poison", [1e10, np.nan, -np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(), (1,), (7,), (8,), (9,), (3, 5), (0,), (0, 2)])
def test_a_poisoned_np_empty_changes_no_bit(
    verbs: Any, shape: tuple[int, ...], dtype: Any, poison: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.linspace(0.5, 1.5, int(np.prod(shape))).reshape(shape).astype(dtype)

    def vector(p: Any) -> Any:
        return np.stack([p, p**2]) if p.size else np.ones((2, 0))

    def results() -> list[bytes]:
        return [
            np.asarray(verbs.numerical_gradient(lambda p: float((p**2).sum()), x)).tobytes(),
            np.asarray(verbs.numerical_jacobian(vector, x, 2.0**-7)).tobytes(),
            np.asarray(verbs.numerical_jacobian(lambda p: p[..., None][..., :0], x)).tobytes(),
        ]

    clean, poisoned = results(), []

    def poisoned_empty(shape: Any, dtype: Any = float, **kwargs: Any) -> Any:
        poisoned.append(shape)
        return np.full(shape, poison, dtype)

    monkeypatch.setattr(np, "empty", poisoned_empty)
    dirty = results()
    monkeypatch.undo()
    assert dirty == clean
    assert poisoned


def test_a_result_belongs_to_the_caller(verbs: Any) -> None:
    """A second call at another point does not change what the first one returned."""
    first = verbs.numerical_gradient(lambda p: (p**2).sum(), np.ones(4))
    J = verbs.numerical_jacobian(lambda p: p**2, np.ones(4))
    bits = first.tobytes(), J.tobytes()
    first_is_own, J_is_own = first.copy(), J.copy()
    verbs.numerical_gradient(lambda p: (p**2).sum(), np.full(4, 9.0))
    verbs.numerical_jacobian(lambda p: p**2, np.full(4, 9.0))
    assert (first.tobytes(), J.tobytes()) == bits == (first_is_own.tobytes(), J_is_own.tobytes())
    assert first.flags.writeable
    assert J.flags.writeable
