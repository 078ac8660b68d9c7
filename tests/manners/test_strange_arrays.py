"""Section 5, lines 2 and 8: every layout, shape and type of x works, or is refused with the reason."""

import array
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.arange(1.0, 7.0).reshape(2, 3)


class Hostile(np.ndarray):
    """A subclass whose methods lie; it arrives as a plain array, so nobody calls them."""

    def copy(self, order: Any = "C") -> Any:
        return self

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        raise RuntimeError("reshape of a subclass")

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ufunc of a subclass")

    def __getitem__(self, key: Any) -> Any:
        return -1.0

    def __len__(self) -> int:
        return 0


def unaligned(a: Any) -> Any:
    return np.frombuffer(b"_" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "C": np.array,
    "Fortran": np.asfortranarray,
    "negative strides": lambda a: np.flip(np.flip(a).copy()),
    "every other": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "a field of records": lambda a: np.rec.fromarrays([a, a])["f0"],
    "unaligned": unaligned,
    "big-endian": lambda a: a.astype(">f8"),
    "a hostile subclass": lambda a: a.view(Hostile),
    "a matrix": lambda a: a.view(np.matrix),
    "an array with metadata": lambda a: a.astype(np.dtype("f8", metadata={"unit": "m"})),
    "a list": lambda a: a.tolist(),
    "a tuple": lambda a: tuple(a.tolist()),
    "a memoryview": memoryview,
    "a 1 by 1 axis more": lambda a: a[None, :, None, :][0, :, 0],
}


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_every_layout_gives_what_the_plain_array_gives(verbs: Any, verb: str, layout: str) -> None:
    def f(x: Any) -> Any:
        assert type(x) is np.ndarray
        assert x.flags.c_contiguous
        assert x.flags.owndata
        assert x.dtype == np.dtype(np.float64)
        return (x**2 * X).sum()

    measured = getattr(verbs, verb)(f, LAYOUTS[layout](X.copy()))
    assert type(measured) is np.ndarray
    assert measured.tobytes() == getattr(verbs, verb)(f, X).tobytes()


def test_memory_mapped_x(verbs: Any, tmp_path: Path) -> None:
    x = np.memmap(tmp_path / "x", dtype=np.float64, shape=(4,), mode="w+")
    x[:] = [1, 2, 3, 4]
    measured = verbs.numerical_gradient(lambda p: p @ p, x)
    assert type(measured) is np.ndarray
    np.testing.assert_allclose(measured, [2, 4, 6, 8], atol=1e-6)


def test_entries_that_share_memory_are_moved_one_by_one(verbs: Any) -> None:
    """Perturbing an entry of an array with stride 0 in place moves all of them at once."""
    x = np.broadcast_to(np.array([2.0]), (3,))
    np.testing.assert_allclose(verbs.numerical_gradient(lambda p: (p * [1, 2, 3]).sum(), x), [1, 2, 3], atol=1e-8)


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "u4", "i8", "u8", ">i4"])
def test_integers_become_doubles_before_f_sees_them(verbs: Any, dtype: str) -> None:
    """In-place steps on an integer array are cut to nothing: gradients of 0, or of thousands."""
    x = np.array([1, 0, 1], dtype)

    def f(point: Any) -> Any:
        assert point.dtype == np.float64
        return (point**2).sum()

    measured = verbs.numerical_gradient(f, x)
    assert measured.dtype == np.float64
    np.testing.assert_allclose(measured, [2.0, 0.0, 2.0], atol=1e-8)
    assert verbs.numerical_jacobian(lambda p: p * 3, x).dtype == np.float64


def test_single_precision_stays_and_is_rounded_once(verbs: Any) -> None:
    """A step made for double precision is lost in float32: gradients of 0."""
    x = np.array([0.1, 1.0, 100.0], np.float32)

    def f(point: Any) -> Any:
        assert point.dtype == np.float32
        return float((point.astype(np.float64) ** 2).sum())

    measured = verbs.numerical_gradient(f, x)
    assert measured.dtype == np.float32
    np.testing.assert_allclose(measured, 2 * x, rtol=1e-2)
    exact = []
    for i in range(3):
        plus, minus = x.copy(), x.copy()
        plus[i], minus[i] = np.float32(float(x[i]) + 2.0**-8), np.float32(float(x[i]) - 2.0**-8)
        exact.append(np.float32((f(plus) - f(minus)) / 2.0**-7))
    assert measured.tolist() == [float(v) for v in exact]
    assert verbs.numerical_jacobian(lambda p: p, x).dtype == np.float32


def test_numbers_give_numbers_and_0d_arrays_0d_arrays(verbs: Any) -> None:
    numbers: list[tuple[Any, Any]] = [
        (3, np.float64),
        (3.0, np.float64),
        (np.float64(3), np.float64),
        (np.float32(3), np.float32),
    ]
    for x, kind in numbers:
        for verb in (verbs.numerical_gradient, verbs.numerical_jacobian):
            measured = verb(lambda p: p * p, x)
            assert type(measured) is kind
            np.testing.assert_allclose(measured, 6.0, atol=1e-2 if kind is np.float32 else 1e-6)
    for dtype in (np.float64, np.float32):
        for verb in (verbs.numerical_gradient, verbs.numerical_jacobian):
            measured = verb(lambda p: p * p, np.array(3, dtype))
            assert type(measured) is np.ndarray
            assert measured.shape == ()
            assert measured.dtype == dtype


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_empty_x(verbs: Any, shape: tuple[int, ...]) -> None:
    calls: list[Any] = []

    def f(x: Any) -> Any:
        calls.append(x)
        return np.ones((2, 1))

    measured = verbs.numerical_gradient(f, np.ones(shape))
    assert (measured.shape, measured.dtype, len(calls)) == (shape, np.float64, 0)
    J = verbs.numerical_jacobian(f, np.ones(shape, np.float32))
    assert (J.shape, J.dtype, len(calls)) == ((2, 1, *shape), np.float32, 1)


def test_empty_values(verbs: Any) -> None:
    assert verbs.numerical_jacobian(lambda x: x[:0], np.ones(3)).shape == (0, 3)
    assert verbs.numerical_jacobian(lambda x: np.ones((2, 0)), np.ones((3, 1))).shape == (2, 0, 3, 1)
    assert verbs.numerical_jacobian(lambda x: [], 1.0).shape == (0,)
    assert verbs.numerical_jacobian(lambda x: x, np.ones(0)).shape == (0, 0)


def test_one_entry_keeps_all_its_axes(verbs: Any) -> None:
    """One variable makes a Jacobian of one column, not a vector; a value of shape (1,) keeps its axis."""
    assert verbs.numerical_gradient(np.sum, np.ones((1, 1, 1))).shape == (1, 1, 1)
    assert verbs.numerical_jacobian(lambda x: np.ones(4) * x, np.ones(1)).shape == (4, 1)
    assert verbs.numerical_jacobian(lambda x: x, np.ones(1)).tolist() == [[pytest.approx(1.0)]]
    assert verbs.numerical_jacobian(lambda x: x.sum()[None], np.ones(5)).shape == (1, 5)
    assert verbs.numerical_jacobian(np.sum, np.ones(5)).shape == (5,)


def test_matrix_of_a_matrix(verbs: Any) -> None:
    """The tensor of a matrix-valued f has y's axes first, then x's, and never another size."""
    A, X3 = np.arange(6.0).reshape(2, 3), np.ones((3, 4))
    J = verbs.numerical_jacobian(lambda x: A @ x, X3)
    np.testing.assert_allclose(J, np.einsum("ik,jl->ijkl", A, np.eye(4)), atol=1e-8)


@pytest.mark.parametrize(
    ("x", "why"),
    [
        (np.ones(2, np.float16), "float16: half precision leaves a difference no digits"),
        (np.ones(2, np.clongdouble), "extended precision"),
        (np.array([1.0, 2.0], dtype=object), "dtype object"),
        ([Decimal(1)], "dtype object"),
        (Fraction(1, 2), "dtype object"),
        (10**400, "dtype object"),
        (None, "dtype object"),
        ("12", "dtype <U2"),
        (np.array(["2026-01-01"], "M8[D]"), "datetime64"),
        (np.zeros(2, "f8,f8"), "f0"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "is a masked array, and its mask would be lost"),
        ({1.0}, "dtype object"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_what_no_difference_can_be_taken_at_is_refused_with_the_reason(verbs: Any, verb: str, x: Any, why: str) -> None:
    with pytest.raises(TypeError, match=f"^x .*{why}"):
        getattr(verbs, verb)(lambda p: 1.0, x)


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long double is double here")
def test_extended_precision_is_refused(verbs: Any) -> None:
    with pytest.raises(TypeError, match="extended precision has no compiled loop"):
        verbs.numerical_gradient(np.sum, np.ones(2, np.longdouble))


def test_a_ragged_list_is_refused(verbs: Any) -> None:
    with pytest.raises(fg.ShapeError, match="x must be a regular array of real numbers"):
        verbs.numerical_gradient(np.sum, [[1.0], [2.0, 3.0]])


def test_other_sequences_of_numbers(verbs: Any) -> None:
    for x in (range(1, 4), array.array("f", [1, 2, 3]), array.array("i", [1, 2, 3]), memoryview(b"\1\2\3")):
        measured = verbs.numerical_gradient(lambda p: (p**2).sum(), x)
        np.testing.assert_allclose(measured, [2.0, 4.0, 6.0], atol=1e-2)
        assert type(measured) is np.ndarray


def test_zero_is_a_point_like_any_other(verbs: Any) -> None:
    """A step relative to x alone is 0 there, and as good as 0 at 1e-16 or 1e-64."""
    for x in (0.0, -0.0, 1e-16, 1e-64, 5e-324):
        for eps in (None, "auto"):
            np.testing.assert_allclose(verbs.numerical_gradient(lambda p: np.sin(p), x, eps), 1.0, atol=1e-9)


def test_badly_scaled_entries_have_steps_of_their_own(verbs: Any) -> None:
    x = np.array([1e10, 1.0, 1e-10])
    measured = verbs.numerical_gradient(lambda p: (p * [1e-10, 1.0, 1e10]).sum(), x, "auto")
    np.testing.assert_allclose(measured, [1e-10, 1.0, 1e10], rtol=1e-5)


def test_masked_arrays_may_just_be_loaded_by_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then their module is there, and nothing in it."""
    monkeypatch.setitem(sys.modules, "numpy.ma", ModuleType("numpy.ma"))
    out = np.empty(2)
    assert fg.numerical_gradient(lambda x: float(x @ x), [1, 2], out=out) is out
    np.testing.assert_allclose(out, [2.0, 4.0], rtol=1e-9)
    assert fg.gradient_check(lambda x: np.sum(x**2), [2.0, 4.0], [1, 2])
