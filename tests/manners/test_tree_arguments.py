"""What verbs take beside a tree: steps, bounds and arguments, and what they refuse, with the path of the entry."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg

W, B = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([0.5, -1.5])


def value(W: Any, b: Any) -> float:
    return float((W**2).sum() + (np.arange(1.0, 4.0) * W).sum() + (b**3).sum() + W[0, 0] * b[1])


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
