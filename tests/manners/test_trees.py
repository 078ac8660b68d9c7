"""Section 5 holds for the leaves of a tree: f may keep, return, change and reshape them, and x stays what it is."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import fastgrad as fg

W, B = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([0.5, -1.5])


class Params(NamedTuple):
    W: Any
    b: Any


@dataclass
class Model:
    W: Any
    b: Any


#: A tree of W and b, made and taken apart.
FORMS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], tuple[Any, Any]]]] = {
    "dict": (lambda W, b: {"W": W, "b": b}, lambda x: (x["W"], x["b"])),
    "list": (lambda W, b: [W, b], lambda x: (x[0], x[1])),
    "tuple": (lambda W, b: (W, b), lambda x: (x[0], x[1])),
    "named tuple": (Params, lambda x: (x.W, x.b)),
    "dataclass": (Model, lambda x: (x.W, x.b)),
    "nested": (lambda W, b: {"layers": [Params(W, None), {"b": b}]}, lambda x: (x["layers"][0].W, x["layers"][1]["b"])),
}


def value(W: Any, b: Any) -> float:
    return float((W**2).sum() + (np.arange(1.0, 4.0) * W).sum() + (b**3).sum() + W[0, 0] * b[1])


def gradient_W() -> Any:
    g = 2 * W + np.arange(1.0, 4.0)
    g[0, 0] += B[1]
    return g


GRADIENT = gradient_W(), 3 * B**2 + [0.0, W[0, 0]]


def assert_right(measured: Any, apart: Any) -> None:
    for leaf, expected in zip(apart(measured), GRADIENT, strict=True):
        assert type(leaf) is np.ndarray
        np.testing.assert_allclose(leaf, expected, atol=1e-6)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_gradient_by_a_tree_is_such_a_tree_and_that_of_the_line_of_its_entries(form: str) -> None:
    make, apart = FORMS[form]
    x = make(W, B)
    measured = fg.numerical_gradient(lambda p: value(*apart(p)), x)
    assert type(measured) is type(x)
    assert_right(measured, apart)
    line = np.concatenate([W.reshape(-1), B])
    expected = fg.reference.numerical_gradient(lambda v: value(v[:6].reshape(2, 3), v[6:]), line)
    assert np.concatenate([leaf.reshape(-1) for leaf in apart(measured)]).tobytes() == expected.tobytes()


@pytest.mark.parametrize("form", sorted(FORMS))
def test_f_sees_the_same_structure_of_plain_arrays_anew_at_each_call(form: str) -> None:
    make, apart = FORMS[form]
    x = make(np.asfortranarray(W), B.astype(np.float32))
    seen = []

    def f(p: Any) -> float:
        assert type(p) is type(x)
        w, b = apart(p)
        for leaf, shape in ((w, (2, 3)), (b, (2,))):
            assert (type(leaf), leaf.shape, leaf.dtype) == (np.ndarray, shape, np.float64)
            assert leaf.flags.c_contiguous
            assert leaf.flags.writeable
        assert w.base is b.base
        seen.append(p)
        return value(w, b)

    assert_right(fg.numerical_gradient(f, x), apart)
    assert len({id(p) for p in seen}) == len(seen) == 16


def deeds() -> dict[str, Callable[[Any, Any], Any]]:
    def interrupt(w: Any, b: Any) -> None:
        raise KeyboardInterrupt

    def reshape(w: Any, b: Any) -> None:
        w.shape = (3, 2)
        b.dtype = np.int64

    def freeze(w: Any, b: Any) -> None:
        w.flags.writeable = b.flags.writeable = False

    return {
        "nothing": lambda w, b: None,
        "overwrites one leaf": lambda w, b: w.fill(7.0),
        "overwrites the other": lambda w, b: b.fill(7.0),
        "adds in place": lambda w, b: np.add(b, 1.0, out=b),
        "sorts": lambda w, b: w.T.sort(),
        "writes into the whole line": lambda w, b: w.base.fill(0.0),
        "turns shape and dtype": reshape,
        "freezes": freeze,
        "is interrupted": interrupt,
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("deed", sorted(deeds()))
@pytest.mark.parametrize("form", sorted(FORMS))
def test_x_is_bit_for_bit_intact_and_the_result_right(form: str, deed: str) -> None:
    make, apart = FORMS[form]
    w, b = W.copy(), B.copy()
    x = make(w, b)

    def f(p: Any) -> float:
        result = value(*apart(p))
        deeds()[deed](*apart(p))
        return result

    if deed == "is interrupted":
        with pytest.raises(KeyboardInterrupt):
            fg.numerical_gradient(f, x)
    else:
        assert_right(fg.numerical_gradient(f, x), apart)
    assert (w.tobytes(), b.tobytes()) == (W.tobytes(), B.tobytes())
    assert apart(x)[0] is w
    assert apart(x)[1] is b


#: What f keeps of its argument.
WAYS_TO_KEEP: dict[str, Callable[[Any, Any, Any], tuple[Any, ...]]] = {
    "both leaves": lambda p, w, b: (w, b),
    "W": lambda p, w, b: (w,),
    "b": lambda p, w, b: (b,),
    "a slice of W": lambda p, w, b: (w[:, 1],),
    "the tree": lambda p, w, b: (p,),
}


@pytest.mark.parametrize("way", sorted(WAYS_TO_KEEP))
@pytest.mark.parametrize("form", sorted(FORMS))
def test_what_f_keeps_of_a_leaf_keeps_its_values(form: str, way: str) -> None:
    make, apart = FORMS[form]
    kept: list[Any] = []
    seen: list[Any] = []
    calls = iter(range(99))

    def numbers(things: tuple[Any, ...]) -> list[Any]:
        return [leaf.tolist() for leaf in (apart(things[0]) if way == "the tree" else things)]

    def f(p: Any) -> float:
        w, b = apart(p)
        if next(calls) % 3 != 1:
            kept.append(WAYS_TO_KEEP[way](p, w, b))
            seen.append(numbers(kept[-1]))
        return value(w, b)

    assert_right(fg.numerical_gradient(f, make(W, B)), apart)
    assert len(seen) == 11
    assert [numbers(things) for things in kept] == seen
    kept.clear()
    gc.collect()


def test_f_may_change_the_containers() -> None:
    def f(p: Any) -> float:
        result = value(p["W"], p["more"][0])
        p["W"] = None
        p["more"].clear()
        del p["more"]
        return result

    x: dict[str, Any] = {"W": W, "more": [B]}
    assert_right(fg.numerical_gradient(f, x), lambda g: (g["W"], g["more"][0]))
    assert list(x) == ["W", "more"]
    assert len(x["more"]) == 1


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_jacobian_has_a_leaf_for_each_leaf(form: str) -> None:
    make, apart = FORMS[form]
    v = np.array([1.0, -2.0, 0.5])
    J = apart(fg.numerical_jacobian(lambda p: apart(p)[0] @ v + apart(p)[1], make(W, B)))
    np.testing.assert_allclose(J[0], np.einsum("ij,k->ijk", np.eye(2), v), atol=1e-8)
    np.testing.assert_allclose(J[1], np.eye(2), atol=1e-8)
    by_scalar = apart(fg.numerical_jacobian(lambda p: value(*apart(p)), make(W, B)))
    assert [leaf.shape for leaf in by_scalar] == [(2, 3), (2,)]
    matrix = apart(fg.numerical_jacobian(lambda p: np.outer(apart(p)[1], apart(p)[0][0]), make(W, B)))
    assert [leaf.shape for leaf in matrix] == [(2, 3, 2, 3), (2, 3, 2)]


@pytest.mark.parametrize("part", [0, 1])
def test_f_may_return_a_leaf_or_a_view_of_it(part: int) -> None:
    J = fg.numerical_jacobian(lambda p: p[part], [W, B])
    size = J[part].shape[: J[part].ndim // 2]
    np.testing.assert_allclose(J[part].reshape(np.prod(size), -1), np.eye(int(np.prod(size))), atol=1e-8)
    assert not J[1 - part].any()
    J = fg.numerical_jacobian(lambda p: p[0].T[::-1], [W, B])
    np.testing.assert_allclose(J[0][::-1].transpose(1, 0, 2, 3).reshape(6, 6), np.eye(6), atol=1e-8)


def test_numbers_in_a_tree_are_numbers_for_f_and_in_the_result() -> None:
    def f(p: Any) -> Any:
        assert type(p["scale"]) is np.float64
        assert type(p["at"]) is np.ndarray
        return p["scale"] * p["at"] * (p["W"] ** 2).sum()

    g = fg.numerical_gradient(f, {"scale": 2, "at": np.array(3.0), "W": W})
    assert isinstance(g["scale"], np.float64)
    assert g["scale"] == pytest.approx(3 * 91, abs=1e-5)
    assert g["at"].shape == ()
    J = fg.numerical_jacobian(lambda p: p["W"] * p["scale"], {"scale": 2, "W": W})
    np.testing.assert_allclose(J["scale"], W, atol=1e-8)


def test_single_precision_stays() -> None:
    x = [W.astype(np.float32), B.astype(np.float32)]
    g = fg.numerical_gradient(lambda p: value(p[0].astype(np.float64), p[1].astype(np.float64)), x)
    assert {leaf.dtype for leaf in g} == {np.dtype(np.float32)}
    for leaf, expected in zip(g, GRADIENT, strict=True):
        np.testing.assert_allclose(leaf, expected, rtol=1e-3)


def test_the_leaves_of_a_result_do_not_overlap() -> None:
    g = fg.numerical_gradient(lambda p: value(*p), [W, B])
    g[0][...] = np.nan
    np.testing.assert_allclose(g[1], GRADIENT[1], atol=1e-6)
    assert g[0].flags.c_contiguous


@pytest.mark.parametrize("x", [{}, {"a": np.ones(0)}, [np.ones((2, 0)), None], Params(None, None)], ids=repr)
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_empty_trees(verb: str, x: Any) -> None:
    result = getattr(fg, verb)(lambda p: 1.0, x)
    assert repr(result) == repr(x)
    J = fg.numerical_jacobian(lambda p: np.ones(3), {"a": np.ones((2, 0))})
    assert J["a"].shape == (3, 2, 0)


def test_exceptions_of_f_arrive_unchanged_with_the_path_of_the_entry() -> None:
    error = ValueError("half way")

    def f(p: Any) -> float:
        if p["b"][1] > B[1]:
            raise error
        return value(p["W"], p["b"])

    with pytest.raises(ValueError, match="half way") as caught:
        fg.numerical_gradient(f, {"W": W, "b": B})
    assert caught.value is error
    assert caught.value.__notes__ == ['fastgrad: f raised this when called at x["b"][1] plus its step.']


def test_the_tree_is_taken_when_the_verb_is_called() -> None:
    x: dict[str, Any] = {"W": W.copy(), "b": B.copy()}

    def f(p: Any) -> float:
        x["W"][...] = np.nan
        x["c"] = 1.0
        x.pop("b", None)
        return value(p["W"], p["b"])

    assert_right(fg.numerical_gradient(f, x), lambda g: (g["W"], g["b"]))


def endless(form: str) -> Any:
    x: Any = [] if form == "list" else {} if form == "dictionary" else ([],)
    if form == "list":
        x.append(x)
    elif form == "dictionary":
        x["x"] = x
    elif form == "tuple":
        x[0].append(x)
    else:
        for _ in range(10_000):
            x = [x]
    return x


@pytest.mark.parametrize("form", ["list", "dictionary", "tuple", "deep"])
def test_a_tree_without_an_end_is_refused_in_a_sentence(form: str) -> None:
    for call in (
        lambda: fg.numerical_gradient(lambda p: 1.0, endless(form)),
        lambda: fg.gradient_check(lambda p: 1.0, {"b": B}, endless(form)),
        lambda: fg.gradient_check(lambda p: 1.0, lambda p: endless(form), {"b": B}),
    ):
        with pytest.raises(fg.ShapeError, match="holds itself, or is nested too deeply"):
            call()
    if form == "dictionary":
        with pytest.raises(fg.ShapeError, match="holds itself, or is nested too deeply"):
            fg.layer_check((lambda p, x: x, lambda p, x, g: {"x": g}), B, params={"W": W, "V": endless(form)})
