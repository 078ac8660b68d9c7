"""vectorized=True: f takes a stack of points, and the derivative is what one point at a time gives."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad import _stacks

SHAPES = [(), (1,), (7,), (3, 5)]


def cubes(x: Any) -> Any:
    return sum(v * v * v for v in np.asarray(x).reshape(-1).tolist())


def many_cubes(stack: Any) -> Any:
    return np.array([cubes(x) for x in stack])


def waves(x: Any) -> Any:
    return np.multiply.outer(np.sin(np.asarray(x, np.float64)), [1.0, 2.0])


def many_waves(stack: Any) -> Any:
    return np.stack([waves(x) for x in stack])


OPTIONS: list[dict[str, Any]] = [
    {},
    {"eps": "auto"},
    {"eps": 2.0**-10},
    {"order": 4},
    {"order": 8},
    {"method": "forward"},
    {"method": "backward", "order": 3},
    {"eps": "noise"},
    {"method": "adaptive"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_stack_gives_the_bits_of_single_points(
    shape: tuple[int, ...], dtype: Any, options: dict[str, Any], rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape).astype(dtype)
    alone, together = (
        fg.numerical_gradient(cubes, x, **options),
        fg.numerical_gradient(many_cubes, x, vectorized=True, **options),
    )
    assert (together.shape, together.dtype, together.tobytes()) == (alone.shape, alone.dtype, alone.tobytes())
    J, of_stacks = (
        fg.numerical_jacobian(waves, x, **options),
        fg.numerical_jacobian(many_waves, x, vectorized=True, **options),
    )
    assert (of_stacks.shape, of_stacks.dtype, of_stacks.tobytes()) == (J.shape, J.dtype, J.tobytes())


@pytest.mark.parametrize("cache", [1, 200, 4096])
def test_the_cut_does_not_matter(cache: int, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    x = rng.normal(size=23)
    bounds = (np.where(np.arange(23) % 3 == 0, x - 1e-9, -np.inf), np.where(np.arange(23) % 3 == 1, x, np.inf))
    expected = fg.numerical_gradient(cubes, x, order=4, bounds=bounds)
    heights: list[int] = []

    def f(stack: Any) -> Any:
        heights.append(len(stack))
        assert stack.nbytes <= max(cache, 4 * x.nbytes)
        return many_cubes(stack)

    monkeypatch.setattr(_stacks, "CACHE", cache)
    found = fg.numerical_gradient(f, x, order=4, bounds=bounds, vectorized=True)
    assert found.tobytes() == expected.tobytes()
    assert sum(heights) == 4 * 23 + 1  # all points, and x itself for the one-sided stencils
    assert max(heights) <= max(4, cache // x.nbytes)


def test_the_values_of_a_stack_keep_within_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stacks, "ROOM", 100)
    heights: list[int] = []

    def f(stack: Any) -> Any:
        heights.append(len(stack))
        return np.repeat(stack[:, :1], 20, axis=1)

    J = fg.numerical_jacobian(f, np.ones(30), 2.0**-4, vectorized=True)
    assert J.shape == (20, 30)
    assert np.all(J[:, 0] == 1.0)
    assert not J[:, 1:].any()
    assert max(heights) == 4  # whole entries: 4 points of 20 doubles are within 100, 6 are not


@given(st.integers(1, 40), st.integers(1, 3000), st.sampled_from([{}, {"order": 4}, {"method": "forward"}]))
def test_any_size_and_any_cut(n: int, cache: int, options: dict[str, Any]) -> None:
    x = np.linspace(-1.0, 2.0, n)
    before, _stacks.CACHE = _stacks.CACHE, cache
    try:
        found = fg.numerical_gradient(many_cubes, x, vectorized=True, **options)
    finally:
        _stacks.CACHE = before
    assert found.tobytes() == fg.numerical_gradient(cubes, x, **options).tobytes()


def test_a_tree_arrives_as_a_tree_of_stacks() -> None:
    x = {"W": np.arange(6.0).reshape(2, 3), "b": [np.ones(2), 3.0], "none": None}

    def f(t: Any) -> Any:
        assert t["W"].shape[1:] == (2, 3)
        assert t["b"][0].shape[1:] == (2,)
        assert t["b"][1].shape == t["W"].shape[:1]
        return (t["W"] ** 2).sum(axis=(1, 2)) * t["b"][1] + t["b"][0].sum(axis=1)

    found = fg.numerical_gradient(f, x, vectorized=True)
    np.testing.assert_allclose(found["W"], 6 * x["W"], atol=1e-7)  # type: ignore[operator]
    np.testing.assert_allclose(found["b"][0], np.ones(2), atol=1e-7)
    np.testing.assert_allclose(found["b"][1], 55.0, atol=1e-7)
    claim = {"W": 6 * x["W"], "b": [np.ones(2), 55.0], "none": None}  # type: ignore[operator]
    assert fg.gradient_check(f, claim, x, vectorized=True).passed


def test_f_takes_its_other_arguments_too() -> None:
    def f(X: Any, a: float, *, b: float) -> Any:
        return a * X.sum(axis=1) + b

    found = fg.numerical_gradient(f, np.zeros(3), vectorized=True, args=(2.0,), kwargs={"b": 1.0})
    np.testing.assert_allclose(found, [2.0, 2.0, 2.0], atol=1e-9)


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_an_empty_x(shape: tuple[int, ...]) -> None:
    assert fg.numerical_gradient(many_cubes, np.empty(shape), vectorized=True).shape == shape
    assert fg.numerical_jacobian(many_waves, np.empty(shape), vectorized=True).shape == (*shape, 2, *shape)


def _roots_of_squares(X: Any) -> Any:
    return np.sqrt(np.where(X < 0, np.nan, X**2)).sum(axis=1)


def test_where_f_has_no_value_the_other_side_is_taken() -> None:
    x = np.array([0.0, 4.0])
    with pytest.warns(fg.OneSidedWarning, match=r"x\[0\]"):
        found = fg.numerical_gradient(_roots_of_squares, x, method="central", vectorized=True)
    np.testing.assert_allclose(found, [1.0, 1.0], atol=1e-6)


def test_an_error_of_arithmetic_in_a_stack_is_that_of_some_points() -> None:
    import math

    def one(x: Any) -> float:
        return sum(math.sqrt(v) ** 3 for v in x.tolist())

    x = np.array([1.0, 0.0, 4.0])
    with pytest.warns(fg.OneSidedWarning):
        expected = fg.numerical_gradient(one, x, method="central")
    with pytest.warns(fg.OneSidedWarning):
        found = fg.numerical_gradient(lambda X: [one(p) for p in X], x, method="central", vectorized=True)
    assert found.tobytes() == expected.tobytes()


def test_the_check_of_stacks_is_the_check_of_points(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 3))
    claim = 3 * x**2
    claim[2, 1] += 0.01
    alone = fg.gradient_check(cubes, claim, x)
    together = fg.gradient_check(many_cubes, lambda x: claim, x, vectorized=True)
    assert str(alone) == str(together)
    assert together.wrong.indices.tolist() == [7]
    assert fg.gradient_check(many_cubes, claim, x, vectorized=True, indices=[0, 3, 11]).passed
    assert fg.jacobian_check(many_waves, fg.numerical_jacobian(waves, x), x, vectorized=True).passed
    assert not fg.jacobian_check(many_waves, -fg.numerical_jacobian(waves, x), x, vectorized=True).passed


def test_details_are_those_of_single_points(rng: np.random.Generator) -> None:
    x = rng.normal(size=3)
    one = fg.numerical_gradient(cubes, x, details=True)
    many = fg.numerical_gradient(many_cubes, x, details=True, vectorized=True)
    assert one.value.tobytes() == many.value.tobytes()
    assert one.error.tobytes() == many.error.tobytes()


@pytest.mark.parametrize(
    "result", [lambda X: X[:2, 0], lambda X: 1.0, lambda X: X, lambda X: X.T[0][:, None, None] + X]
)
def test_values_that_are_none_for_each_point_are_refused(result: Any) -> None:
    with pytest.raises(fg.ShapeError, match=r"a number for each point.* from x\[0\] plus its step to x\[4\] minus"):
        fg.numerical_gradient(result, np.ones(5), vectorized=True)


def test_only_arrays_of_points_are_told_of_the_jacobian() -> None:
    with pytest.raises(fg.ShapeError, match="numerical_jacobian's"):
        fg.numerical_gradient(lambda X: X, np.ones(5), vectorized=True)
    with pytest.raises(fg.ShapeError, match="should have the length 10") as caught:
        fg.numerical_gradient(np.sum, np.ones(5), vectorized=True)
    assert "numerical_jacobian" not in str(caught.value)


def test_a_column_of_numbers_will_do() -> None:
    found = fg.numerical_gradient(lambda X: X.sum(axis=1, keepdims=True), np.ones(4), vectorized=True)
    np.testing.assert_allclose(found, np.ones(4), atol=1e-9)


def test_changing_shapes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stacks, "CACHE", 1)
    with pytest.raises(fg.ShapeError, match=r"returned \(2,\) a point at first and \(3,\) .* from x\[1\] plus"):
        fg.numerical_jacobian(lambda X: np.ones((2, 3 if X[0, 1] else 2)), np.zeros(4), vectorized=True)


@pytest.mark.parametrize("value", [None, "text", 1j, [object()]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, fg.ShapeError), match="stack of 6 points"):
        fg.numerical_gradient(lambda X: [value] * len(X), np.ones(3), vectorized=True)


def test_an_exception_says_which_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stacks, "CACHE", 4 * 32)

    def f(stack: Any) -> Any:
        if stack[0, 2] != 0.0:
            raise KeyError("here")
        return stack.sum(axis=1)

    with pytest.raises(KeyError) as caught:
        fg.numerical_gradient(f, np.zeros(4), vectorized=True)
    note = (
        "fastgrad: f raised this when called with the stack of 4 points from x[2] plus its step to x[3] minus its step."
    )
    assert caught.value.__notes__ == [note]


def test_structured_callables_and_pairs_are_refused() -> None:
    loss = fg.losses.LinearLoss(np.ones((2, 3)), np.ones(3), loss="sum")
    with pytest.raises(TypeError, match="structured"):
        fg.numerical_gradient(loss, np.ones((2, 3)), vectorized=True)
    with pytest.raises(TypeError, match="structured"):
        fg.gradient_check(loss, np.ones((2, 3)), np.ones((2, 3)), vectorized=True)
    with pytest.raises(TypeError, match="grad_f=True"):
        fg.gradient_check(many_cubes, True, np.ones(2), vectorized=True)
