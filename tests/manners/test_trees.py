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


def test_errors_name_the_entry_by_its_path() -> None:
    with pytest.raises(TypeError, match=r'at x\["W"\]\[0, 0\] plus its step it returned None'):
        fg.numerical_gradient(lambda p: None, {"W": W})
    with pytest.raises(fg.StepError, match=r'lost to rounding at x\["big"\]\[1\] = 1e\+20'):
        fg.numerical_gradient(lambda p: 1.0, {"W": W, "big": [1.0, 1e20]})
    with pytest.raises(TypeError, match=r'^x\["W"\] has dtype float16'):
        fg.numerical_gradient(lambda p: 1.0, {"W": W.astype(np.float16)})
    with pytest.raises(TypeError, match=r"(?s)must return real numbers or an array of them, .* \(dict\)"):
        fg.numerical_jacobian(lambda p: p, {"W": W})


def test_steps_may_be_a_tree() -> None:
    def f(p: Any) -> float:
        seen.append((p["W"].copy(), p["b"].copy()))
        return value(p["W"], p["b"])

    cases: list[tuple[Any, Any]] = [
        ({"b": [1e-3, 1e-2], "W": 1e-4}, [1e-4] * 6 + [1e-3, 1e-2]),
        ({"W": np.full((2, 3), 1e-3), "b": 1e-4}, [1e-3] * 6 + [1e-4] * 2),
        (np.geomspace(1e-5, 1e-3, 8), np.geomspace(1e-5, 1e-3, 8)),
        (1e-4, [1e-4] * 8),
    ]
    for eps, steps in cases:
        seen: list[Any] = []
        fg.numerical_gradient(f, {"W": W, "b": B}, eps)
        taken = [max(np.abs(w - W).max(), np.abs(b - B).max()) for w, b in seen[::2]]
        np.testing.assert_allclose(taken, steps)
    assert fg.numerical_gradient(f, {"W": W, "b": B}, "auto")["b"].shape == (2,)


@pytest.mark.parametrize(
    ("eps", "error", "why"),
    [
        ({"W": 1e-5}, fg.ShapeError, r'there is nothing for x\["b"\]'),
        ({"W": 1e-5, "b": [1e-5] * 3}, fg.ShapeError, r'eps has shape \(3,\) at x\["b"\], which has \(2,\)'),
        ({"W": 1e-5, "b": -1e-5}, fg.StepError, "eps must be"),
        ({"W": 1e-5, "b": "auto"}, fg.StepError, "eps must be"),
        (np.full((2, 3), 1e-5), fg.ShapeError, r"shaped like x, \(8,\)"),
    ],
    ids=repr,
)
def test_steps_that_do_not_fit_are_refused(eps: Any, error: Any, why: str) -> None:
    with pytest.raises(error, match=why):
        fg.numerical_gradient(lambda p: 1.0, {"W": W, "b": B}, eps)


def test_bounds_may_be_trees() -> None:
    def f(p: Any) -> float:
        assert np.all(p["W"] >= 0)
        assert np.all((p["b"] >= B) & (p["b"] <= 1.0))
        return float(np.sum(np.sqrt(p["W"])) + p["b"] @ p["b"])

    g = fg.numerical_gradient(f, {"W": W, "b": B}, bounds=({"W": 0, "b": B}, {"b": 1.0, "W": np.full((2, 3), np.inf)}))
    np.testing.assert_allclose(g["W"], 0.5 / np.sqrt(W), atol=1e-6)
    np.testing.assert_allclose(g["b"], 2 * B, atol=1e-6)
    with pytest.raises(ValueError, match=r'x\["b"\]\[1\] = -1.5 lies outside its bounds'):
        fg.numerical_gradient(f, {"W": W, "b": B}, bounds=({"W": 0, "b": -1}, np.inf))
    with pytest.raises(fg.ShapeError, match=r'a bound must be a tree of x\'s structure; there is nothing for x\["b"\]'):
        fg.numerical_gradient(f, {"W": W, "b": B}, bounds=({"W": 0}, np.inf))


@pytest.mark.parametrize("method", ["differences", "adaptive"])
def test_slopes_on_both_sides_come_as_trees(method: Any) -> None:
    def f(p: Any) -> float:
        return float(np.abs(p["a"]).sum() + p["b"] ** 2)

    x = {"a": np.array([[0.0, 1.0]]), "b": 2.0}
    left, right = fg.one_sided_derivatives(f, x, method=method)
    np.testing.assert_allclose(left["a"], [[-1.0, 1.0]], atol=1e-6)
    np.testing.assert_allclose(right["a"], [[1.0, 1.0]], atol=1e-6)
    assert isinstance(left["b"], np.float64)
    found, _ = fg.one_sided_derivatives(f, x, method=method, details=True)
    assert found.flags["kink"]["a"].tolist() == [[True, False]]
    assert found.error["a"].shape == found.calls["a"].shape == (1, 2)


def test_elementwise_derivatives_and_noise_take_trees() -> None:
    x: dict[str, Any] = {"a": np.array([[0.0, 1.0]]), "b": 2.0}
    found = fg.derivative(np.sin, x)
    np.testing.assert_allclose(found["a"], np.cos(x["a"]), atol=1e-12)
    assert isinstance(found["b"], np.float64)
    jitter = fg.steps.noise(lambda p: round(float(np.sin(p["a"]).sum() + p["b"]), 6), x)
    assert 1e-7 < jitter < 1e-6


def test_args_follow_the_tree() -> None:
    g = fg.numerical_gradient(lambda p, k, power: k * (p["W"] ** power).sum(), {"W": W}, args=(3,), kwargs={"power": 2})
    np.testing.assert_allclose(g["W"], 6 * W, atol=1e-6)


def test_out_is_refused() -> None:
    cases: list[tuple[Any, Any]] = [(fg.numerical_gradient, [W.copy(), B.copy()]), (fg.numerical_jacobian, np.empty(8))]
    for verb, out in cases:
        with pytest.raises(TypeError, match=r"x is a tree of arrays .*, and its derivative is a tree"):
            verb(lambda p: value(*p), [W, B], out=out)


def test_who_takes_one_array_says_so() -> None:
    for verb in (fg.reference.numerical_gradient, fg.reference.numerical_jacobian):
        with pytest.raises(TypeError, match=r"x is a tree of arrays \(list\), and the plain reference takes one array"):
            verb(lambda p: 1.0, [W, W])
    with pytest.raises(TypeError, match=r"x is a tree of arrays .*, and the plain reference takes one array"):
        fg.reference.gradient_check(lambda p: 1.0, [W, W], [W, W])
    f = fg.losses.LinearLoss(W, np.ones(3), loss="sum")
    kinked = fg.losses.TwoLayerLoss(fg.TwoLayerNet(3, 4, 2), np.ones(3), loss="sum", wrt="W1")
    with pytest.raises(TypeError, match=r"x is a tree of arrays .*, and an f that measures by its own loop"):
        fg.numerical_gradient(f, {"W": W})
    with pytest.raises(TypeError, match=r"x is a tree of arrays .*, and an f that measures by its own loop"):
        fg.gradient_check(f, {"W": W}, {"W": W})
    with pytest.raises(TypeError, match=r"x is a tree of arrays .*, and an f that measures by its own loop"):
        fg.one_sided_derivatives(kinked, {"W": W})


def test_the_tree_is_taken_when_the_verb_is_called() -> None:
    x: dict[str, Any] = {"W": W.copy(), "b": B.copy()}

    def f(p: Any) -> float:
        x["W"][...] = np.nan
        x["c"] = 1.0
        x.pop("b", None)
        return value(p["W"], p["b"])

    assert_right(fg.numerical_gradient(f, x), lambda g: (g["W"], g["b"]))
