"""What is given beside a tree, as claims and steps, is taken apart like it, or refused by the path of a leaf."""

from typing import Any

import numpy as np
import pytest

from fastgrad._errors import ShapeError
from fastgrad._tree import flatten


class Bunch(dict[str, Any]):
    """A dictionary whose keys are attributes, too."""

    __getattr__ = dict.__getitem__


def test_dictionaries_are_matched_by_key() -> None:
    x = {"a": np.zeros(2), "b": np.zeros(2)}
    _, tree = flatten(x)
    assert [a.tolist() for a in tree.arrays({"b": [3, 4], "a": [1, 2]}, "this")] == [[1, 2], [3, 4]]
    assert [a.tolist() for a in tree.arrays(Bunch(b=[3, 4], a=[1, 2], c=None), "this")] == [[1, 2], [3, 4]]


def test_lists_of_numbers_are_matched_with_leaves_or_taken_as_a_line() -> None:
    _, tree = flatten([np.zeros(2), np.zeros(1)])
    assert [a.tolist() for a in tree.arrays([[1, 2], [3]], "this")] == [[1, 2], [3]]
    for line in ([1, 2, 3], (1, 2, 3), np.array([1, 2, 3]), np.array([1, 2, 3], object)):
        assert [a.tolist() for a in tree.arrays(line, "this")] == [[1, 2], [3]]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"W": np.ones((2, 3))}, r'there is nothing for x\["b"\] in it'),
        ({"W": np.ones((2, 3)), "b": None}, r'there is nothing for x\["b"\] in it'),
        ({"W": np.ones((2, 3)), "b": 1.0, "c": 2.0}, r'it holds x\["c"\], and x has no such leaf'),
        ({"W": {"V": np.ones((2, 3))}, "b": 1.0}, r'there is nothing for x\["W"\] in it'),
        ({"W": np.ones((3, 2)), "b": 1.0}, r'this has shape \(3, 2\) at x\["W"\], which has \(2, 3\)'),
        ({"W": [[1.0], [2.0, 3.0]], "b": 1.0}, r'this is no regular array at x\["W"\]'),
        (np.ones(6), r"a tree of x's structure or a line of 7 numbers; got ndarray of shape \(6,\)"),
        (1.0, r"got float of shape \(\)"),
        (None, r"got NoneType of shape \(\)"),
        ([1.0, 2.0], r'there is nothing for x\["W"\]'),
    ],
)
def test_what_does_not_fit_is_named_by_path(given: Any, why: str) -> None:
    _, tree = flatten({"W": np.ones((2, 3)), "b": 1.0})
    with pytest.raises(ShapeError, match=why):
        tree.arrays(given, "this")


def test_a_mask_is_not_lost() -> None:
    _, tree = flatten([np.ones(2), 1.0])
    with pytest.raises(TypeError, match=r"this is a masked array at x\[0\]"):
        tree.arrays([np.ma.ones(2), 1.0], "this")
    with pytest.raises(TypeError, match="this is a masked array"):
        tree.arrays(np.ma.ones(3), "this")


def test_a_number_may_stand_for_a_leaf() -> None:
    _, tree = flatten({"a": np.ones((1, 2)), "b": 1.0})
    assert tree.spread({"a": 3, "b": 4}, "eps").tolist() == [3, 3, 4]
    assert tree.spread({"b": 4, "a": [[1, 2]]}, "eps").tolist() == [1, 2, 4]
    assert tree.spread([1, 2, 4], "eps").tolist() == [1, 2, 4]
    for other in (None, "auto", 1e-5, np.ones(3), object):
        assert tree.spread(other, "eps") is other
    with pytest.raises(ShapeError, match=r'^eps has shape \(\) at x\["a"\]'):
        tree.arrays({"a": 3, "b": 4}, "eps")
