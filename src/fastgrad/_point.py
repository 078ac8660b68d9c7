"""x, be it an array, a number or a tree, and one private C-ordered copy of it that can be differentiated at."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad._arrays import DOUBLE, is_masked_array, real_array
from fastgrad._containers import is_tree, refuse_tree
from fastgrad._errors import ShapeError, not_callable
from fastgrad._reading import Reader
from fastgrad._tree import Leaf, Tree, flatten, named
from fastgrad._typing import Array, Pace

_ARRAY_LIKE = (np.ndarray, list, tuple)
#: Why a structured callable has no use for a tree.
ONE_ARRAY = "an f that measures by its own loop takes one array"


class Point:
    """A private copy of x in the working dtype, the names of its entries, and the way back to x's own form.

    Attributes
    ----------
    array : ndarray
        C-ordered, float32 or float64, or complex where that was allowed, of x's own shape; for a tree, the line of all
        its entries. Nobody but fastgrad holds it.
    tree : Tree or None
        The structure of x, where it is a tree.
    """

    __slots__ = ("_is_scalar", "array", "label", "tree")

    def __init__(self, array: Array, label: str = "x", *, is_scalar: bool = False, tree: Tree | None = None) -> None:
        self.array = array
        self.label = label
        self.tree = tree
        self._is_scalar = is_scalar

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The arrays that x is made of: one, where it is no tree."""
        return (Leaf(self.label, self.array.shape, 0),) if self.tree is None else self.tree.leaves

    def name(self, i: int) -> str:
        """Return the name of the entry with flat index i, as ``x[3, 17]`` or ``x["W1"][3, 17]``."""
        return named(i, self.leaves)

    def shown(self, array: Array) -> Any:
        """Return what f is to see of an array like this point's: itself, or a tree of views of it."""
        return array if self.tree is None else self.tree.unflatten(array)

    @property
    def width(self) -> int:
        """How many numbers f is given for one point."""
        return self.array.size

    def keeps(self, changed: list[int]) -> bool:
        """Tell whether the point itself keeps which entries have changed sides, so that nobody need be warned."""
        return False

    def of_array(self, f: Callable[[Any], Any]) -> Callable[[Array], Any]:
        """Return f as a function of an array like this point's; f itself where x is no tree."""
        if self.tree is None:
            return f
        unflatten = self.tree.unflatten
        return lambda array: f(unflatten(array))

    def in_line(self, given: Any, what: str) -> Any:
        """Return steps or bounds as one line if they are a tree like x, and as they are otherwise.

        A rule that takes x, as f does, is asked for them.
        """
        if callable(given) and not isinstance(given, type):
            given = given(self.shown(self.array.copy()))
        return given if self.tree is None else self.tree.spread(given, what)

    def reader(self, pace: Pace | None = None) -> Reader:
        """Return a reader of f's values that names this point's entries."""
        return Reader(self.name, pace)

    def restore(self, out: Array) -> Any:
        """Return a derivative in the form that x came in: a NumPy scalar for a bare number, an array, or a tree."""
        if self.tree is not None:
            return self.tree.restore(out)
        return out[()] if self._is_scalar and out.ndim == 0 else out


def as_point(x: Any, label: str = "x", read: Callable[[Any, str], Array] = real_array) -> Point:
    """Return the point at x: an array of any shape and order, a list of numbers, a bare number, or a tree of these.

    A tree becomes one line in the widest dtype of its leaves. A point is returned as it is: whoever made it has given
    its entries their names. What x may hold, `read` knows: `number_array` lets complex64 and complex128 pass.

    Raises
    ------
    TypeError
        If x is masked, complex, half or extended precision, or not numeric.
    ShapeError
        If x is a ragged list.
    """
    if type(x) is np.ndarray and x.dtype is DOUBLE:
        return Point(x.copy(), label)  # what nearly always comes
    if isinstance(x, Point):
        return x
    if type(x) is not np.ndarray and is_tree(x):
        array, tree = flatten(x, label, read)
        return Point(array, label, tree=tree)
    return Point(np.array(read(x, label), order="C"), label, is_scalar=is_bare_number(x))


def is_bare_number(x: Any) -> bool:
    """Tell whether x is a number and no array: what is derived by it is then a number as well."""
    return not isinstance(x, _ARRAY_LIKE) and np.ndim(x) == 0


def working_array(x: Any, label: str = "x") -> Array:
    """Return x as a C-ordered plain array of the working dtype, x itself where it is one already."""
    if type(x) is np.ndarray:
        flags, dtype = x.flags, x.dtype
        if flags.c_contiguous and flags.aligned and dtype.char in "df" and dtype.isnative:
            return x
    refuse_tree(x, ONE_ARRAY)
    return np.asarray(real_array(x, label), order="C")


def usable_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], x: Any) -> Array:
    """Return a new array for a derivative, or the caller's where one is given and fit to be filled."""
    if out is None:
        return np.empty(shape, dtype)
    if type(x) is not np.ndarray:
        refuse_tree(x, "its derivative is a tree, which out cannot be: leave out away")
    if type(out) is not np.ndarray and is_masked_array(out):
        raise TypeError("out is a masked array, which would hide what is written into it. Give a plain one.")
    if not isinstance(out, np.ndarray) or out.dtype != dtype or not out.flags.carray:
        raise TypeError(f"out must be a writeable, aligned and C-contiguous array of dtype {dtype}.")
    if out.shape != shape:
        raise ShapeError(f"out must have the shape of the derivative, {shape}; got {out.shape}.")
    if isinstance(x, np.ndarray) and np.may_share_memory(out, x):
        raise ValueError("out overlaps x, which is never written. Give an array of its own.")
    return out


def bound(f: Callable[..., Any] | None, args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> Callable[..., Any]:
    """Return f as a function of x alone; f itself where there is nothing to bind."""
    if not callable(f):
        raise not_callable(f)
    if type(args) is not tuple and (isinstance(args, str | bytes) or not isinstance(args, Sequence)):
        raise TypeError(f"args must be a tuple or list of the arguments that follow x, got {type(args).__name__}.")
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise TypeError(f"kwargs must be a mapping from names to arguments, got {type(kwargs).__name__}.")
    if not args and not kwargs:
        return f
    rest, options = tuple(args), dict(kwargs or {})
    return lambda x: f(x, *rest, **options)
