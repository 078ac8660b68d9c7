"""The reader turns what f returned into doubles, or says in a sentence why it cannot."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._reading import Reader

reader = Reader(lambda i: f"x[{i}]")


def test_places_have_names() -> None:
    assert reader.where(3, 1) == "x[3] plus its step"
    assert reader.where(3, -1) == "x[3] minus its step"
    assert reader.where(0, 0) == "x itself"


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (1, 1.0),
        (True, 1.0),
        (1.5, 1.5),
        (np.float32(0.1), float(np.float32(0.1))),
        ([[2.5]], 2.5),
        (2**60 + 1, 2.0**60),
    ],
    ids=repr,
)
def test_a_scalar_becomes_a_python_float(y: Any, expected: float) -> None:
    value = reader.scalar(y, 0, 1)
    assert type(value) is float
    assert value == expected


def test_an_array_of_doubles_is_not_copied() -> None:
    y = np.ones((2, 3))
    assert np.shares_memory(reader.array(y, 0, 1, None), y)


def test_doubles_at_odd_addresses_are_copied_to_where_compiled_loops_may_read_them() -> None:
    y = np.frombuffer(b"_" + np.arange(6.0).tobytes(), np.uint8)[1:].view(np.float64).reshape(2, 3)
    values = reader.array(y, 0, 1, None)
    assert values.flags.aligned
    np.testing.assert_array_equal(values, y)


@pytest.mark.parametrize(
    "y",
    [np.ones((2, 2), np.float32), np.asfortranarray(np.ones((2, 2))), [[1, 1], [1, 1]], np.ones((2, 2), object)],
    ids=["float32", "Fortran", "list", "object"],
)
def test_any_array_becomes_one_of_doubles_in_c_order(y: Any) -> None:
    values = reader.array(y, 0, 1, (2, 2))
    assert values.flags.c_contiguous
    assert values.dtype == np.float64
    assert values.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_a_number_becomes_a_0d_array() -> None:
    assert reader.array(3, 0, 1, None).shape == ()
    assert reader.array(np.float64(3), 0, 1, ()).shape == ()


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (None, "it returned None."),
        ("abc", "it returned 'abc' (str)."),
        (1j, "it returned 1j (complex)."),
        ("a" * 99, "it returned '" + "a" * 56 + "... (str)."),
        (np.array("a"), "it returned np.str_('a') (str_)."),
    ],
    ids=["None", "str", "complex", "long", "array"],
)
def test_the_sentence_says_where_and_what(y: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        reader.scalar(y, 7, -1)
    assert str(caught.value) == f"f must return a real scalar, but at x[7] minus its step {text}"


def test_the_sentence_about_arrays_says_dtype_and_shape() -> None:
    with pytest.raises(
        TypeError, match=r"^f must return real numbers or an array of them, but at x itself it returned an "
    ):
        reader.array(np.ones((2, 1), complex), 0, 0, None)
    with pytest.raises(fg.ShapeError, match=r"one shape: it returned \(3,\) at first and \(2, 1\) at x\[4\] plus"):
        reader.array(np.ones((2, 1)), 4, 1, (3,))


def test_a_note_is_added_and_nothing_else() -> None:
    error = ValueError("mine")
    reader.note(error, 2, 1)
    assert error.args == ("mine",)
    assert error.__notes__ == ["fastgrad: f raised this when called at x[2] plus its step."]
