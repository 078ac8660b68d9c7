"""x stays untouched, whatever f does, where two entries move at once and along directions."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

V = np.linspace(-1.0, 1.0, 6)


def smooth(x: Any) -> float:
    return float(np.sum(np.sin(x)) + x.reshape(-1)[0] * x.reshape(-1)[-1])


def gradient(x: Any) -> Any:
    g = np.cos(x)
    g.reshape(-1)[0] += x.reshape(-1)[-1]
    g.reshape(-1)[-1] += x.reshape(-1)[0]
    return g


VERBS: dict[str, Callable[[Any, Any], Any]] = {
    "values": lambda wrap, x: fg.numerical_hessian(wrap(smooth), x),
    "adaptive": lambda wrap, x: fg.numerical_hessian(wrap(smooth), x, method="adaptive"),
    "gradient": lambda wrap, x: fg.numerical_hessian(None, x, grad=wrap(gradient)),
    "along": lambda wrap, x: fg.directional_derivative(wrap(smooth), x, V.reshape(np.shape(x))),
    "vjp": lambda wrap, x: fg.numerical_vjp(wrap(gradient), x, V.reshape(np.shape(x))),
    "product": lambda wrap, x: fg.hessian_vector_product(wrap(smooth), x, V.reshape(np.shape(x))),
    "product by gradient": lambda wrap, x: fg.hessian_vector_product(
        None, x, V.reshape(np.shape(x)), grad=wrap(gradient)
    ),
    "check": lambda wrap, x: fg.hessian_check(wrap(smooth), np.zeros((6, 6)), x).wrong.measured,
    "check by gradient": lambda wrap, x: fg.hessian_check(None, np.eye(6), x, grad=wrap(gradient)).wrong.measured,
    "check of a Jacobian": lambda wrap, x: fg.jacobian_check(wrap(gradient), np.eye(6), x).wrong.measured,
}
each = pytest.mark.parametrize("name", VERBS)


def as_is(f: Any) -> Any:
    return f


def writing(f: Any) -> Any:
    def g(x: Any) -> Any:
        y = f(x)
        x[...] = -7.0
        return y

    return g


def keeping(f: Any) -> Any:
    kept: list[Any] = []

    def g(x: Any) -> Any:
        kept.append((x, x.copy()))
        assert all(np.array_equal(a, b) for a, b in kept)
        return f(x)

    return g


def returning_one_array(f: Any) -> Any:
    out: list[Any] = []

    def g(x: Any) -> Any:
        y = np.asarray(f(x))
        if not out:
            out.append(np.empty_like(y))
        out[0][...] = y
        return out[0]

    return g


def writing_now_and_then(f: Any) -> Any:
    calls = 0

    def g(x: Any) -> Any:
        nonlocal calls
        calls += 1
        y = f(x)
        if calls % 5 == 0:
            x.reshape(-1)[calls % x.size] += 1e-3
        return y

    return g


@each
@pytest.mark.parametrize("wrap", [writing, keeping, returning_one_array, writing_now_and_then])
def test_the_result_and_x_are_the_same_whatever_f_does(name: str, wrap: Any) -> None:
    x = np.linspace(0.5, 1.5, 6)
    before = x.tobytes()
    expected = VERBS[name](as_is, x)
    found = VERBS[name](wrap, x)
    np.testing.assert_array_equal(found, expected)
    assert x.tobytes() == before


@each
@pytest.mark.parametrize("at", [1, 2, 5])
def test_an_exception_arrives_unchanged_with_a_note(name: str, at: int) -> None:
    class OwnError(Exception):
        pass

    def failing(f: Any) -> Any:
        calls = 0

        def g(x: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls >= at:
                raise OwnError("mine")
            return f(x)

        return g

    x = np.linspace(0.5, 1.5, 6)
    if name.startswith("product by") or name == "along":
        at = min(at, 2)
    before = x.tobytes()
    with pytest.raises(OwnError, match="mine") as caught:
        VERBS[name](failing, x)
    assert x.tobytes() == before
    assert any(note.startswith("fastgrad: f raised this when called at") for note in caught.value.__notes__)


def test_the_note_of_a_pair_names_both_entries() -> None:
    calls = 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        if calls > 1 + 6 * 3:
            raise KeyError("gone")
        return smooth(x)

    with pytest.raises(KeyError) as caught:
        fg.numerical_hessian(f, {"a": 1.0, "b": np.ones(2)} and np.ones(3))
    assert caught.value.__notes__ == [
        "fastgrad: f raised this when called at x with x[0] and x[1] moved by their steps."
    ]


@each
@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.reshape(2, 3),
        lambda x: np.asfortranarray(x.reshape(2, 3)),
        lambda x: np.repeat(x, 2)[::2],
        lambda x: np.flip(np.flip(x).copy()),
        lambda x: x.tolist(),
        lambda x: x.astype(">f8"),
    ],
    ids=["matrix", "Fortran", "every other", "backwards", "list", "big-endian"],
)
def test_arrays_of_all_forms(name: str, form: Any) -> None:
    x = np.linspace(0.5, 1.5, 6)
    shaped = form(x)
    if isinstance(shaped, np.ndarray):
        shaped.flags.writeable = False
    found = np.asarray(VERBS[name](as_is, shaped))
    expected = np.asarray(VERBS[name](as_is, x))
    np.testing.assert_allclose(found.reshape(-1), expected.reshape(-1), rtol=1e-13, atol=1e-13)


def test_f_may_call_fastgrad_and_threads_may_call_at_once() -> None:
    x = np.linspace(0.5, 1.5, 6)

    def nested(y: Any) -> float:
        return float(fg.directional_derivative(smooth, y, V, 2.0**-10))

    H = fg.numerical_hessian(nested, x, 2.0**-6)
    assert H.tobytes() == H.T.tobytes()
    expected = fg.numerical_hessian(smooth, x).tobytes()
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(fg.numerical_hessian(smooth, x).tobytes())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_unset_memory_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(0.5, 1.5, 6)

    def results() -> list[bytes]:
        return [np.asarray(verb(as_is, x)).tobytes() for verb in VERBS.values()] + [
            fg.numerical_hessian(smooth, x, details=True).error.tobytes(),
            fg.numerical_hessian(None, x, grad=gradient, details=True).error.tobytes(),
        ]

    clean = results()
    monkeypatch.setattr(np, "empty", lambda shape, dtype=float, **kwargs: np.full(shape, 3, dtype))
    monkeypatch.setattr(np, "empty_like", lambda a, **kwargs: np.full(a.shape, 3, a.dtype))
    dirty = results()
    monkeypatch.undo()
    assert dirty == clean
