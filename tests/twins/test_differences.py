"""The compiled difference loops against the plain NumPy ones: the same points, the same bits, the same errors."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SHAPES = st.one_of(*(hnp.array_shapes(min_dims=0, max_dims=4, min_side=side, max_side=3) for side in (1, 1, 0)))
DTYPES = st.sampled_from(["f8", "f8", "f8", "f4", "f4", ">f8", ">f4", "i8", "i1", "u2", "?"])

LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "backwards": lambda a: np.flip(np.flip(a).copy()),
    "every other": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "unaligned": lambda a: np.frombuffer(b"_" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape),
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(a.tolist()) if a.ndim else a.item(),
    "object with __array__": lambda a: Exported(a),
}


class Exported:
    """An array-like that is no array, as the tensors of other libraries are."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.array, dtype=dtype)


@st.composite
def points(draw: st.DrawFn) -> Any:
    shape, dtype = draw(SHAPES), np.dtype(draw(DTYPES))
    if dtype.kind == "f":
        ticks = draw(hnp.arrays(np.int64, shape, elements=st.integers(-(10**6), 10**6)))
        x = (ticks / draw(st.sampled_from([1e6, 1e3, 1.0]))).astype(dtype)
    else:
        x = draw(hnp.arrays(dtype, shape))
        x = (x // 2**40).astype(dtype) if dtype.itemsize == 8 else x
    x = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](x)
    if isinstance(x, np.ndarray) and draw(st.booleans()):
        x.flags.writeable = False
    return x


@st.composite
def points_and_steps(draw: st.DrawFn) -> tuple[Any, Any]:
    x = draw(points())
    kinds = ["none", "none", "auto", "float", "float", "array"]
    kind = draw(st.sampled_from(kinds))
    if kind == "none":
        return x, None
    if kind == "auto":
        return x, "auto"
    size = st.sampled_from([1e-5, 2.0**-10, 0.25, 3])
    if kind == "float":
        return x, draw(st.one_of(size, st.sampled_from([np.float32(0.1), np.array(0.3), 1e-12, 1e300, 0.0, -1.0])))
    shape = np.shape(x)
    return x, draw(hnp.arrays(np.float64, shape, elements=size))


RESULTS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "float64": np.float64,
    "float32": np.float32,
    "float16": np.float16,
    "longdouble": np.longdouble,
    "int": lambda v: round(v * 10**6),
    "int64": lambda v: np.int64(v * 10**6),
    "bool": lambda v: bool(v > 0),
    "0-d": np.array,
    "(1, 1)": lambda v: np.array([[v]]),
    "(1,) float32": lambda v: np.array([v], np.float32),
    "list": lambda v: [v],
    "tuple of int": lambda v: (int(v),),
    "object": lambda v: np.array(v, dtype=object),
    "Decimal": lambda v: Decimal(float(v)),
    "Fraction": lambda v: Fraction(float(v)),
    "big-endian": lambda v: np.array(v, ">f8"),
    "subclass of float": lambda v: Thrice(v),
}


class Thrice(float):
    """Its value is what __float__ says, as for anything that is a number by __float__."""

    def __float__(self) -> float:
        return 3.0 * super().__float__()


def smooth(x: Any) -> Any:
    """Return a value that depends on each entry, its index and its neighbours, and on nothing else."""
    flat = x.reshape(-1).astype(np.float64)
    with np.errstate(all="ignore"):
        return (np.arange(1, flat.size + 1) * np.cos(flat) + flat**2).sum() + flat.prod()


@settings(max_examples=400)
@given(at=points_and_steps(), kind=st.sampled_from(sorted(RESULTS)))
def test_gradients_agree_bit_for_bit(assert_twins_agree: Any, at: tuple[Any, Any], kind: str) -> None:
    x, eps = at
    assert_twins_agree("numerical_gradient", lambda: lambda point: RESULTS[kind](smooth(point)), x, eps)


Y_LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "C": lambda y: y,
    "Fortran": np.asfortranarray,
    "backwards": np.flip,
    "every other": lambda y: np.repeat(y, 2, axis=-1)[..., ::2] if y.ndim else y,
    "list": lambda y: y.tolist(),
    "read-only": lambda y: np.broadcast_to(y, y.shape),
    "unaligned": lambda y: np.frombuffer(b"_" + y.tobytes(), np.uint8)[1:].view(y.dtype).reshape(y.shape),
    "object": lambda y: y.astype(object),
}


@settings(max_examples=200)
@given(
    at=points_and_steps(),
    shape=SHAPES,
    dtype=st.sampled_from(["f8", "f8", "f4", ">f8", "i8", "?", "f2"]),
    layout=st.sampled_from(sorted(Y_LAYOUTS)),
)
def test_jacobians_agree_bit_for_bit(
    assert_twins_agree: Any, at: tuple[Any, Any], shape: tuple[int, ...], dtype: str, layout: str
) -> None:
    x, eps = at
    m = int(np.prod(shape))

    def f(point: Any) -> Any:
        y = np.sin(np.arange(1, m + 1) * smooth(point)).reshape(shape)
        return Y_LAYOUTS[layout](y.astype(dtype))

    outcome = assert_twins_agree("numerical_jacobian", lambda: f, x, eps)
    if len(outcome) == 5:
        assert outcome[3] == np.shape(f(np.asarray(x, float))) + np.shape(x)


@given(x=points())
def test_jacobians_of_views_of_x_agree(assert_twins_agree: Any, x: Any) -> None:
    for f in (lambda p: p, lambda p: p.T, lambda p: p[..., None], lambda p: p.reshape(-1)[::-1]):
        assert_twins_agree("numerical_jacobian", lambda f=f: f, x)


@given(x=points(), eps=st.sampled_from([None, 0.5, "auto"]))
def test_calls_go_entry_by_entry_plus_before_minus_and_no_others(assert_twins_agree: Any, x: Any, eps: Any) -> None:
    seen = assert_twins_agree("numerical_gradient", lambda: smooth, x, eps)[0]
    array = np.asarray(x)
    if len(seen) != 2 * array.size:  # a step that float32 cannot resolve is refused before f is called
        assert len(seen) == 0
        return
    start = array.astype(np.float32 if array.dtype.kind == "f" and array.itemsize == 4 else np.float64).reshape(-1)
    for k, (_, dtype, shape, bits) in enumerate(seen):
        moved = np.frombuffer(bits, dtype) - start
        assert shape == array.shape
        assert (moved > 0 if k % 2 == 0 else moved < 0).nonzero()[0].tolist() == [k // 2]
        assert np.count_nonzero(moved) == 1


def in_turn(values: list[Any]) -> Callable[[Any], Any]:
    left = iter(values)
    return lambda point: next(left)


class Unprintable:
    def __repr__(self) -> str:
        raise KeyError("no repr")


class Refusing:
    def __float__(self) -> float:
        raise RuntimeError("a tensor with 2 elements is no scalar")


BAD_VALUES: list[Any] = [
    None,
    "1.0",
    b"1.0",
    np.str_("1.0"),
    1j,
    np.complex64(1),
    object(),
    Unprintable(),
    Refusing(),
    10**400,
    -(10**5000),
    Fraction(10**400),
    {},
    {1.0},
    [],
    [None],
    ["a"],
    [1j],
    [[1.0], [2.0, 3.0]],
    [1.0, "a"],
    (1.0, None),
    np.zeros(0),
    np.zeros(2),
    np.zeros((2, 1, 1)),
    np.array(1j),
    np.array("1.0"),
    np.array([b"1"]),
    np.array(None),
    np.array([np.zeros(2), None], dtype=object),
    np.array("2026-01-01", "M8[s]"),
    np.timedelta64(1, "s"),
    np.array(["a"], dtype=np.dtypes.StringDType()),
    np.zeros(1, "f8,i4"),
    np.ma.masked,
    np.ma.array([1.0, 2.0], mask=[True, False]),
    np.ma.array(1.0, mask=True),
]


@pytest.mark.parametrize("bad", BAD_VALUES, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_errors_about_values_agree(assert_twins_agree: Any, verb: str, bad: Any) -> None:
    for good, late in product([2.0, np.float32(2), 2, np.array(2.0), np.ones(2)], [0, 1, 3]):
        values = [good] * late + [bad] * 9
        assert_twins_agree(verb, lambda values=values: in_turn(values), np.ones((2, 2)))


BAD_POINTS: list[Any] = [
    None,
    "1.0",
    [1.0, "a"],
    [[1.0], [2.0, 3.0]],
    np.clongdouble(1j),
    np.ones(2, np.float16),
    np.ones(2, np.longdouble),
    np.ones(2, object),
    [Decimal(1)],
    10**400,
    np.array(["2026-01-01"], "M8[s]"),
    np.zeros(2, "f8,i4"),
    np.ma.array([1.0, 2.0], mask=[False, True]),
    np.ma.array([1.0, 2.0]),
    {1.0},
]


@pytest.mark.parametrize("x", BAD_POINTS, ids=repr)
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_errors_about_x_agree(assert_twins_agree: Any, verb: str, x: Any) -> None:
    outcome = assert_twins_agree(verb, lambda: smooth, x)
    assert outcome[0] == []
    assert outcome[1].__name__ in ("TypeError", "ShapeError")


BAD_STEPS: list[Any] = [0, 0.0, -1e-5, np.nan, np.inf, 1j, True, "Auto", b"auto", {}, object, 10**400, Fraction(1, 8)]
BAD_STEPS += [[1e-5], [[1e-5, 1e-5]], [1e-5, 0.0], [1e-5] * 3, [-1.0] * 3, [[1.0], 2.0], 1e-18, [1e-5, 1e-18], 1e308]
BAD_STEPS += [np.longdouble("1e-400"), np.longdouble("1e400")]


@pytest.mark.parametrize("eps", BAD_STEPS, ids=repr)
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_errors_about_steps_agree(assert_twins_agree: Any, verb: str, eps: Any, dtype: str) -> None:
    outcome = assert_twins_agree(verb, lambda: smooth, np.array([1.0, 3.0], dtype), eps)
    assert outcome[0] == []
    assert outcome[1].__name__ in ("StepError", "ShapeError")


@pytest.mark.parametrize("f", [None, 3, "f"], ids=repr)
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_errors_about_f_agree(assert_twins_agree: Any, verb: str, f: Any) -> None:
    assert assert_twins_agree(verb, lambda: f, [1.0])[1] is TypeError


@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
@pytest.mark.parametrize("x", [np.ones(3), np.ones(0), np.ones((2, 2), np.float32), 1.0], ids=repr)
def test_exceptions_of_f_agree(assert_twins_agree: Any, verb: str, x: Any) -> None:
    for late in range(4):

        def make(late: int = late) -> Callable[[Any], Any]:
            left = iter(range(late))
            return lambda point: float(next(left))

        assert_twins_agree(verb, make, x)


SPECIAL = st.sampled_from([0.0, -0.0, 5e-324, np.inf, np.nan, 1.0])


@given(x=hnp.arrays(np.float64, hnp.array_shapes(max_side=3), elements=SPECIAL))
def test_special_values_agree(assert_twins_agree: Any, x: Any) -> None:
    def f(point: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.where(point > 0, point, np.nan_to_num(1 / point)).sum()

    assert_twins_agree("numerical_gradient", lambda: f, x)
    assert_twins_agree("numerical_jacobian", lambda: lambda p: np.array([f(p), 1.0]), x, "auto")
