"""A point is a private copy of x in the working dtype, with names for its entries."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._point import Point, as_point, bound, usable_out, working_array


def test_the_copy_is_private_and_in_c_order() -> None:
    for x in (np.ones((2, 3)), np.asfortranarray(np.ones((2, 3))), np.ones((4, 6))[::2, ::2], np.ones((2, 3), int)):
        point = as_point(x)
        assert point.array.flags.c_contiguous
        assert point.array.flags.owndata
        assert point.array.flags.writeable
        assert not np.may_share_memory(point.array, x)
        assert point.array.dtype == np.float64


def test_a_working_array_is_x_itself_where_it_can_be() -> None:
    x = np.ones((2, 3), np.float32)
    assert working_array(x) is x
    assert working_array(x.T).flags.c_contiguous
    assert working_array(x.astype(">f4")).dtype == np.dtype(np.float32)
    assert working_array(x.view(np.matrix)).base is not None
    assert type(working_array(x.view(np.matrix))) is np.ndarray


def test_entries_have_their_own_index_as_name() -> None:
    point = as_point(np.ones((2, 3, 4)))
    assert [point.name(i) for i in (0, 4, 23)] == ["x[0, 0, 0]", "x[0, 1, 0]", "x[1, 2, 3]"]
    assert as_point([1.0, 2.0]).name(1) == "x[1]"
    assert as_point(1.0).name(0) == "x"
    assert Point(np.ones(2), label="W1").name(1) == "W1[1]"


def test_errors_name_the_label() -> None:
    with pytest.raises(TypeError, match=r"^W has dtype complex128"):
        working_array(np.ones(2, complex), label="W")
    with pytest.raises(TypeError, match=r"^W is a masked array"):
        working_array(np.ma.ones(2), label="W")


@pytest.mark.parametrize("x", [1, 1.0, np.float32(1), np.int8(1), True], ids=repr)
def test_a_bare_number_comes_back_as_a_number(x: Any) -> None:
    restored = as_point(x).restore(np.array(2.0))
    assert isinstance(restored, np.floating)


@pytest.mark.parametrize("x", [np.array(1.0), [1.0], (1.0,), np.ones((1, 1))], ids=repr)
def test_an_array_comes_back_as_an_array(x: Any) -> None:
    out = np.array(2.0)
    assert as_point(x).restore(out) is out


def test_a_derivative_with_axes_comes_back_as_itself() -> None:
    out = np.ones(3)
    assert as_point(1.0).restore(out) is out


def test_bound_leaves_f_alone_where_there_is_nothing_to_bind() -> None:
    assert bound(np.sum, (), None) is np.sum
    assert bound(np.sum, [], {}) is np.sum
    assert bound(lambda x, a, b=0: (x, a, b), (1,), {"b": 2})("x") == ("x", 1, 2)


def test_usable_out_makes_one_or_takes_the_callers() -> None:
    fresh = usable_out(None, (2, 3), np.dtype(np.float32), None)
    assert fresh.shape == (2, 3)
    assert fresh.dtype == np.float32
    own = np.empty((2, 3))
    assert usable_out(own, (2, 3), np.dtype(np.float64), [1.0]) is own
    with pytest.raises(fg.ShapeError):
        usable_out(own, (3, 2), np.dtype(np.float64), None)
