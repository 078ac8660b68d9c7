"""Trees of arrays become one line of numbers and come back, with a name for each entry."""

import pickle
import re
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from fastgrad._containers import is_tree
from fastgrad._errors import ShapeError
from fastgrad._tree import Leaf, flatten, located, named


class Pair(NamedTuple):
    W: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Layer:
    W: Any
    b: Any = None


@dataclass
class Scaled:
    """Refuses what is not positive, and derives a field that is no parameter."""

    kind: ClassVar[str] = "scaled"
    scale: Any
    log: Any = field(init=False)

    def __post_init__(self) -> None:
        if np.min(self.scale) <= 0:
            raise ValueError("a scale must be positive")
        self.log = np.log(self.scale)


class Bunch(dict[str, Any]):
    """A dictionary whose keys are attributes, too."""

    __getattr__ = dict.__getitem__


class LikeArray:
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.ones(3)


@dataclass
class Quantity(LikeArray):
    value: Any


ARRAYS = npst.arrays(
    st.sampled_from([np.float64, np.float32, np.int16, np.bool_]), npst.array_shapes(min_dims=0, max_dims=3, min_side=0)
)
LEAVES = ARRAYS | st.floats(allow_nan=False) | st.integers(-9, 9) | st.none()
KEYS = st.text(max_size=3) | st.integers(0, 3)


def branches(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(children, max_size=3)
    return (
        st.dictionaries(KEYS, children, max_size=3)
        | some
        | some.map(tuple)
        | st.tuples(children, children).map(lambda pair: Pair(*pair))
        | st.tuples(children, children).map(lambda pair: Layer(*pair))
        | st.dictionaries(st.text(max_size=3), children, max_size=3).map(Bunch)
    )


TREES = branches(st.recursive(LEAVES, branches, max_leaves=8)).filter(
    lambda x: is_tree(x) and all(is_regular(part) for part in parts(x))
)


def parts(x: Any) -> list[Any]:
    """Return all containers and leaves of x, x itself first."""
    if isinstance(x, dict):
        below = list(x.values())
    elif isinstance(x, Layer):
        below = [x.W, x.b]
    else:
        below = list(x) if isinstance(x, list | tuple) else []
    return [x, *(part for child in below for part in parts(child))]


def is_regular(part: Any) -> bool:
    """Tell whether a part is no list of numbers only that makes no array."""
    if is_tree(part) or not isinstance(part, list | tuple):
        return True
    try:
        return bool(np.asarray(part).dtype.kind in "biuf")
    except ValueError:
        return False


def same(a: Any, b: Any) -> bool:
    """Tell whether two trees have the same structure and the same numbers."""
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, Layer):
        return isinstance(b, Layer) and same(a.W, b.W) and same(a.b, b.b)
    if isinstance(a, list | tuple) and is_tree(a):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return a is b is None or (np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True))


@given(TREES)
def test_a_tree_comes_back_as_it_was(x: Any) -> None:
    flat, tree = flatten(x)
    assert flat.shape == (tree.size,)
    assert flat.dtype in (np.float32, np.float64)
    wide = flat.astype(np.float64)
    assert same(x, tree.unflatten(wide))
    assert same(tree.unflatten(flat), tree.restore(flat))
    again, _ = flatten(tree.unflatten(flat))
    assert again.tobytes() == flat.tobytes()


@given(TREES)
def test_leaves_are_views_of_the_line_and_every_entry_has_a_name_of_its_own(x: Any) -> None:
    flat, tree = flatten(x)
    for part in parts(tree.unflatten(flat)):
        if isinstance(part, np.ndarray) and part.size:
            assert part.base is flat
    names = [named(i, tree.leaves) for i in range(tree.size)]
    assert len(set(names)) == tree.size
    for i, name in enumerate(names):
        leaf, index = located(i, tree.leaves)
        assert name == leaf.path + (f"[{', '.join(map(str, index))}]" if index else "")


@given(TREES)
def test_a_like_tree_is_taken_apart_by_path(x: Any) -> None:
    flat, tree = flatten(x)
    taken = tree.arrays(x, "this")
    assert [a.shape for a in taken] == [leaf.shape for leaf in tree.leaves]
    joined = np.concatenate([np.empty(0), *(np.ravel(a) for a in taken)])
    np.testing.assert_array_equal(joined.astype(flat.dtype), flat)


def test_entries_are_named_by_path() -> None:
    x = {"W1": np.ones((2, 3)), 'a"b': 1.0, 7: [np.ones(1), Pair(0.5, np.array(2.0))], "l": Layer((1, 2))}
    _, tree = flatten(x)
    names = [named(i, tree.leaves) for i in range(tree.size)]
    assert names[5:] == [
        'x["W1"][1, 2]',
        "x['a\"b']",
        "x[7][0][0]",
        "x[7][1].W",
        "x[7][1].b",
        'x["l"].W[0]',
        'x["l"].W[1]',
    ]
    _, tree = flatten(x, "p")
    assert named(0, tree.leaves) == 'p["W1"][0, 0]'


def test_empty_leaves_do_not_take_the_names_of_others() -> None:
    _, tree = flatten([np.ones(0), np.ones(1), np.ones((0, 2)), np.ones(1), np.ones(0)])
    assert [named(i, tree.leaves) for i in range(2)] == ["x[1][0]", "x[3][0]"]


@pytest.mark.parametrize(
    "x",
    [
        {},
        {"a": 1.0},
        [np.ones(2), 1.0],
        ([1.0], [np.ones(1)]),
        Pair(1, 2),
        Layer(1.0),
        [{"a": 1}],
        [Pair(1, 2)],
        Bunch(),
    ],
    ids=repr,
)
def test_what_is_a_tree(x: Any) -> None:
    assert is_tree(x)


@pytest.mark.parametrize(
    "x",
    [
        *(
            1,
            1.0,
            np.float32(1),
            np.ones(2),
            [],
            (),
            [1, 2.0],
            [[1, 2], (3, 4)],
            [np.array(1.0), 2],
            "ab",
            ["ab"],
            None,
        ),
        *(LikeArray(), Quantity(1.0), Layer, Pair, object(), {1.0}, np.ones((1, 1)).view(np.matrix), [None], range(3)),
    ],
    ids=lambda x: re.sub(r" at 0x\w+", "", repr(x)),  # an address is another in every process
)
def test_what_is_none(x: Any) -> None:
    assert not is_tree(x)


def test_the_widest_dtype_of_the_leaves_is_that_of_the_line() -> None:
    single = np.ones(2, np.float32)
    assert flatten([single, single])[0].dtype == np.float32
    for other in (np.ones(1), 1.0, 1, np.ones(2, int), True, np.float64(1)):
        assert flatten([single, other])[0].dtype == np.float64
    assert flatten([single, np.float32(1)])[0].dtype == np.float32
    assert flatten({})[0].dtype == np.float64


def test_the_line_is_the_trees_own_whatever_the_layout_of_the_leaves() -> None:
    A = np.arange(6.0).reshape(2, 3)
    flat, _ = flatten({"F": np.asfortranarray(A), "back": A[::-1], "big": A.astype(">f8")})
    assert flat.tolist() == [*range(6), 3, 4, 5, 0, 1, 2, *range(6)]
    assert flat.flags.owndata
    assert not np.may_share_memory(flatten([A])[0], A)


@pytest.mark.parametrize(
    ("x", "why"),
    [
        ({"a": "text"}, r'^x\["a"\] has dtype <U4'),
        ({"a": {"b": np.ones(1, complex)}}, r'^x\["a"\]\["b"\] has dtype complex128'),
        ([np.ones(2), np.ones(2, np.float16)], r"^x\[1\] has dtype float16"),
        (Layer(np.ma.ones(2)), r"^x\.W is a masked array"),
        (Pair([None], np.ones(1)), r"^x\.W has dtype object"),
    ],
)
def test_a_leaf_that_is_no_real_array_is_named(x: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        flatten(x)
    with pytest.raises(ShapeError, match=r'x\["a"\] must be a regular array'):
        flatten({"a": [[1.0], [2.0, 3.0]]})


def test_containers_keep_their_kind() -> None:
    x = {
        "ordered": OrderedDict(b=np.ones(1), a=np.ones(2)),
        "default": defaultdict[str, Any](list, a=np.ones(1)),
        "bunch": Bunch(w=np.ones(1)),
        "read-only": MappingProxyType({"a": np.ones(1)}),
        "nothing": None,
    }
    flat, tree = flatten(x)
    back = tree.unflatten(flat)
    assert list(back) == list(x)
    assert [type(value) for value in back.values()] == [OrderedDict, defaultdict, Bunch, dict, type(None)]
    assert back["default"].default_factory is list
    assert back["bunch"].w.base is flat
    assert all(value is not back[key] for key, value in x.items() if value is not None)


def test_what_becomes_of_x_afterwards_does_not_matter() -> None:
    x: dict[str, Any] = {"a": np.ones(1), "b": Bunch(c=np.ones(2))}
    flat, tree = flatten(x)
    x["d"] = x["b"]["e"] = np.ones(3)
    del x["a"]
    back = tree.unflatten(flat)
    assert list(back) == ["a", "b"]
    assert list(back["b"]) == ["c"]


def test_a_dataclass_derives_its_own_fields_for_f_and_is_not_asked_for_a_derivative() -> None:
    flat, tree = flatten({"s": Scaled(np.array([1.0, 2.0]))})
    assert tree.leaves == (Leaf('x["s"].scale', (2,), 0),)
    assert tree.unflatten(flat * 3)["s"].log.tolist() == np.log([3.0, 6.0]).tolist()
    derivative = tree.restore(-flat)["s"]
    assert derivative.scale.tolist() == [-1.0, -2.0]
    assert type(derivative) is Scaled
    with pytest.raises(ValueError, match="must be positive"):
        tree.unflatten(-flat)


def test_a_derivative_of_an_array_has_its_axes_first() -> None:
    x = {"W": np.ones((2, 3)), "b": 1.0, "e": np.ones((0, 2))}
    _, tree = flatten(x)
    J = np.arange(28.0).reshape(2, 2, 7)
    back = tree.restore(J)
    assert {key: value.shape for key, value in back.items()} == {"W": (2, 2, 2, 3), "b": (2, 2), "e": (2, 2, 0, 2)}
    np.testing.assert_array_equal(back["W"].reshape(2, 2, 6), J[..., :6])
    np.testing.assert_array_equal(back["b"], J[..., 6])
    assert isinstance(tree.restore(J[0, 0])["b"], np.float64)


def test_leaves_can_be_stored() -> None:
    _, tree = flatten({"a": np.ones((1, 2))})
    assert pickle.loads(pickle.dumps(tree.leaves)) == tree.leaves
