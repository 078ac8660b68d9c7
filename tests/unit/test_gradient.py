"""numerical_gradient does what its docstring says."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def square(x: Any) -> Any:
    return (x**2).sum()


def test_each_entry_is_the_textbooks_quotient_to_the_last_bit() -> None:
    x, eps = np.array([0.3, -1.7, 20.0]), 1e-5

    def f(v: Any) -> float:
        return float(np.exp(v[0]) + v[1] * v[2])

    expected = []
    for i in range(3):
        x_plus, x_minus = x.copy(), x.copy()
        x_plus[i] += eps
        x_minus[i] -= eps
        expected.append((f(x_plus) - f(x_minus)) / (2 * eps))
    assert fg.numerical_gradient(f, x).tolist() == expected
    assert fg.numerical_gradient(f, x, eps).tolist() == expected


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 3), (1, 2, 3, 2)])
def test_the_result_is_shaped_like_x(shape: tuple[int, ...]) -> None:
    x = np.arange(float(np.prod(shape))).reshape(shape)
    measured = fg.numerical_gradient(square, x)
    assert measured.shape == shape
    np.testing.assert_allclose(measured, 2 * x, atol=1e-8)


def test_f_is_called_twice_an_entry_at_the_documented_points() -> None:
    points: list[list[float]] = []

    def f(x: Any) -> float:
        points.append(x.tolist())
        return 0.0

    fg.numerical_gradient(f, [1.0, 2.0], 0.5)
    assert points == [[1.5, 2.0], [0.5, 2.0], [1.0, 2.5], [1.0, 1.5]]


def test_f_that_refuses_points_outside_its_domain_is_not_led_there() -> None:
    def f(x: Any) -> Any:
        assert np.all(np.abs(x) <= 1.0 + 2.0**-20)
        return np.arcsin(np.clip(x, -1, 1)).sum()

    fg.numerical_gradient(f, [1.0, -1.0, 0.0], 2.0**-20)


def test_out_is_filled_and_returned() -> None:
    out = np.full((2, 2), np.nan)
    assert fg.numerical_gradient(square, X, out=out) is out
    np.testing.assert_allclose(out, 2 * X, atol=1e-8)
    single = np.empty((2, 2), np.float32)
    assert fg.numerical_gradient(square, X.astype(np.float32), out=single) is single
    part = np.full(6, np.nan)
    fg.numerical_gradient(square, X, out=part[1:5].reshape(2, 2))
    assert np.isnan(part).tolist() == [True, False, False, False, False, True]


def test_out_may_be_a_subclass_that_is_an_array(tmp_path: Any) -> None:
    mapped = np.memmap(tmp_path / "out", dtype=np.float64, shape=(2, 2), mode="w+")
    assert fg.numerical_gradient(square, X, out=mapped) is mapped
    np.testing.assert_allclose(np.asarray(mapped), 2 * X, atol=1e-8)
    matrix = np.zeros((2, 2)).view(np.matrix)
    fg.numerical_gradient(square, X, out=matrix)
    np.testing.assert_allclose(np.asarray(matrix), 2 * X, atol=1e-8)


@pytest.mark.parametrize(
    "out",
    [
        [[0.0, 0.0], [0.0, 0.0]],
        np.empty((2, 2), np.float32),
        np.empty((2, 2), ">f8"),
        np.empty((2, 2), int),
        np.asfortranarray(np.empty((2, 2))),
        np.empty((2, 4))[:, ::2],
        np.broadcast_to(np.empty(2), (2, 2)),
        np.ma.zeros((2, 2)),
        np.zeros(33, np.uint8)[1:].view(np.float64).reshape(2, 2),
    ],
    ids=["list", "float32", "big-endian", "int", "Fortran", "strided", "read-only", "masked", "unaligned"],
)
def test_an_out_that_cannot_be_filled_is_refused(out: Any) -> None:
    with pytest.raises(TypeError, match=r"^out "):
        fg.numerical_gradient(square, X, out=out)


def test_an_out_of_another_shape_is_refused_with_both_shapes() -> None:
    with pytest.raises(fg.ShapeError, match=r"\(2, 2\); got \(4,\)"):
        fg.numerical_gradient(square, X, out=np.empty(4))


def test_an_out_over_x_is_refused() -> None:
    x = X.copy()
    with pytest.raises(ValueError, match="overlaps x"):
        fg.numerical_gradient(square, x, out=x)
    both = np.zeros(6)
    with pytest.raises(ValueError, match="overlaps x"):
        fg.numerical_gradient(square, both[:4], out=both[2:])
    assert x.tolist() == X.tolist()


def test_args_and_kwargs_follow_x() -> None:
    def f(x: Any, a: float, b: float, *, c: float = 0.0) -> Any:
        return (a * x + b * x**2).sum() + c * x.sum()

    for args in ((2.0, 0.5), [2.0, 0.5]):
        measured = fg.numerical_gradient(f, X, args=args, kwargs={"c": 10.0})
        np.testing.assert_allclose(measured, 12.0 + X, atol=1e-6)
    np.testing.assert_allclose(fg.numerical_gradient(f, X, kwargs={"a": 1.0, "b": 0.0}), np.ones((2, 2)), atol=1e-6)


def test_args_are_taken_when_the_verb_is_called() -> None:
    args = [3.0]

    def f(x: Any, a: float) -> Any:
        args[0] = -1.0
        return a * x.sum()

    np.testing.assert_allclose(fg.numerical_gradient(f, X, args=args), np.full((2, 2), 3.0), atol=1e-6)


@pytest.mark.parametrize("args", [5.0, "ab", np.array([0.0]), {1.0}, None], ids=repr)
def test_args_that_are_no_sequence_are_refused_and_never_ignored(args: Any) -> None:
    with pytest.raises(TypeError, match="args must be a tuple or list"):
        fg.numerical_gradient(square, X, args=args)


@pytest.mark.parametrize("kwargs", [5.0, [("a", 1)], "a"], ids=repr)
def test_kwargs_that_are_no_mapping_are_refused(kwargs: Any) -> None:
    with pytest.raises(TypeError, match="kwargs must be a mapping"):
        fg.numerical_gradient(square, X, kwargs=kwargs)


def test_an_f_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="f must be callable, got ndarray"):
        fg.numerical_gradient(X, X)  # type: ignore[arg-type]


class Structured:
    """A callable with a loop of its own, which notes what it was given."""

    def __init__(self, evaluations: Any = 8) -> None:
        self.evaluations = evaluations

    def __call__(self, x: Any) -> float:
        raise AssertionError("the loop is asked, not the value")

    def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> Any:
        self.seen = (x.copy(), h.copy(), out.shape, out.dtype)
        out[...] = 3 * x
        return self.evaluations


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_structured_callable_measures_by_itself(dtype: Any) -> None:
    f, x = Structured(), np.asfortranarray(X.astype(dtype))
    out = np.empty((2, 2), dtype)
    assert fg.numerical_gradient(f, x, out=out) is out
    assert out.tolist() == (3 * X).tolist()
    point, h, shape, kind = f.seen
    assert point.flags.c_contiguous
    assert (point.dtype, shape, kind) == (dtype, (2, 2), dtype)
    assert h.tolist() == [2.0**-17 if dtype is np.float64 else 2.0**-8]
    fg.numerical_gradient(f, X, [[1.0, 2.0], [3.0, 4.0]])
    assert f.seen[1].tolist() == [1.0, 2.0, 3.0, 4.0]
    fg.numerical_gradient(f, X, 1e-18)
    assert f.seen[1].tolist() == [1e-18]


def test_a_structured_callable_gives_a_number_for_a_number() -> None:
    assert type(fg.numerical_gradient(Structured(), 2.0)) is np.float64
    assert type(fg.numerical_gradient(Structured(), np.array(2.0))) is np.ndarray


def test_a_structured_callable_is_given_an_aligned_array() -> None:
    seen: list[bool] = []

    class Looking(Structured):
        def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> Any:
            seen.append(x.flags.aligned)
            return super().__fastgrad_gradient__(x, h, out)

    unaligned = np.zeros(X.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(X.shape)
    unaligned[...] = X
    np.testing.assert_array_equal(
        fg.numerical_gradient(Looking(), unaligned), fg.numerical_gradient(Structured(), X), strict=True
    )
    assert seen == [True]


def test_a_structured_callable_is_held_to_its_protocol() -> None:
    with pytest.raises(TypeError, match="number of evaluations, got None"):
        fg.numerical_gradient(Structured(evaluations=None), X)
    with pytest.raises(TypeError, match="no place to go"):
        fg.numerical_gradient(Structured(), X, args=(1.0,))
    with pytest.raises(fg.StepError):
        fg.numerical_gradient(Structured(), X, -1.0)
    with pytest.raises(fg.ShapeError):
        fg.numerical_gradient(Structured(), X, out=np.empty(4))
    with pytest.raises(TypeError, match="complex"):
        fg.numerical_gradient(Structured(), X * 1j)


def test_the_protocol_is_a_matter_of_the_class_not_of_the_instance() -> None:
    def f(x: Any) -> Any:
        return square(x)

    f.__fastgrad_gradient__ = None  # type: ignore[attr-defined]
    np.testing.assert_allclose(fg.numerical_gradient(f, X), 2 * X, atol=1e-8)


def test_options_are_keywords() -> None:
    with pytest.raises(TypeError, match="positional"):
        fg.numerical_gradient(square, X, None, np.empty((2, 2)))  # type: ignore[call-arg, arg-type]
    with pytest.raises(TypeError, match="unexpected keyword"):
        fg.numerical_gradient(square, X, step=1e-3)  # type: ignore[call-arg]
