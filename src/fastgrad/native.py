"""Functions in machine code as f: called without the interpreter, at the speed of a loop in C."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._addresses import locate
from fastgrad._arrays import DOUBLE, real_array
from fastgrad._c_signature import INT_COUNT, form_of, refused
from fastgrad._errors import ShapeError
from fastgrad._reading import Reader
from fastgrad._spans import Run, sweep
from fastgrad._typing import Array, Float64Array

__all__ = ["NativeFunction", "NativeVectorFunction", "function", "vector_function"]

#: Columns that the loop for Jacobians gathers, and two lines of values: the rows of its work space.
_WORK = 10
_NAN = float("nan")
_LARGEST_INT = 2**31 - 1


def function(f: Any, *, data: Any = None, signature: str | None = None) -> "NativeFunction":
    """Return a scalar function in machine code as a callable that the verbs measure without the interpreter.

    The function is ``double f(const double *x, intptr_t n, void *data)``. It may come without data, take n before x as
    SciPy's integrands do, and take n as an int. It is called without the interpreter's lock (a Cython function must be
    ``noexcept nogil``), and from several threads at once where `workers` are asked for. x holds n doubles, float32
    points too, and is not to be written.

    Parameters
    ----------
    f : scipy.LowLevelCallable, numba.cfunc, function pointer of ctypes or cffi, PyCapsule, or int
        What does not tell its signature, or has another, is refused. A capsule is named by its signature, as those in
        a Cython module's ``__pyx_capi__`` are. An int is the address of a function.
    data : None, int, array, or pointer of ctypes or cffi, optional
        What f gets as its last argument; a LowLevelCallable and a capsule may bring their own. It is kept alive.
    signature : str, optional
        In C: of an address, which does not know its own.

    Returns
    -------
    NativeFunction
        Holds all that the function needs as long as it lives itself.

    Raises
    ------
    TypeError
        If f is nothing of the kind, has another signature, or needs the interpreter.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> from fastgrad import cython_api
    >>> f = fg.native.function(cython_api.__pyx_capi__["rosenbrock"])
    >>> f.signature, f([1.0, 2.0])
    ('double (double const *, Py_ssize_t, void *)', 100.0)
    >>> fg.numerical_gradient(f, np.array([1.0, 2.0])).round(6)
    array([-400.,  200.])
    """
    found = locate(f, data, signature)
    try:
        form = form_of(found.signature, is_scalar=True)
    except ValueError:
        raise refused(_named(f), found.signature, is_scalar=True) from None
    return NativeFunction(found.address, found.signature, form, found.data, found.kept)


def vector_function(f: Any, m: int, *, data: Any = None, signature: str | None = None) -> "NativeVectorFunction":
    """Return a vector function in machine code as a callable that the verbs measure without the interpreter.

    The function is ``void f(const double *x, double *y, intptr_t n, intptr_t m, void *data)``. It writes all m elements
    of y at every call, and does not read them. It may come without data, and take both counts as int. All else is as
    `function` says.

    Parameters
    ----------
    f : object
        As `function` takes it.
    m : int
        How many values f has.
    data, signature : optional
        As `function` takes them.

    Returns
    -------
    NativeVectorFunction

    Raises
    ------
    TypeError
        If f is nothing of the kind, has another signature, or needs the interpreter.
    ValueError
        If m is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> from fastgrad import cython_api
    >>> f = fg.native.vector_function(cython_api.__pyx_capi__["broyden"], 3)
    >>> fg.numerical_jacobian(f, np.zeros(3)).round(6)
    array([[ 3., -2.,  0.],
           [-1.,  3., -2.],
           [ 0., -1.,  3.]])
    """
    m = operator.index(m)
    if m < 1:
        raise ValueError(f"m is the number of values of f, at least 1; got {m}.")
    found = locate(f, data, signature)
    try:
        form = form_of(found.signature, is_scalar=False)
    except ValueError:
        raise refused(_named(f), found.signature, is_scalar=False) from None
    return NativeVectorFunction(found.address, found.signature, form, found.data, found.kept, m)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Native:
    """What a native callable is made of: what its address needs to stay valid is kept with it."""

    address: int
    signature: str
    form: int
    data: int
    kept: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.signature!r} at {self.address:#x}>"

    def __reduce__(self) -> Any:
        raise TypeError("a native callable is an address in this process, and cannot be pickled for another.")

    def _line(self, x: Any) -> Float64Array:
        """Return the entries of x as doubles, in a copy that is the function's own."""
        return self._fitting(np.array(real_array(x, "x"), dtype=np.float64, order="C"))

    def _fitting(self, x: Array) -> Array:
        """Return the entries of x in a line, if they are as many as the function can count."""
        if self.form & INT_COUNT and x.size > _LARGEST_INT:
            raise ShapeError(f"the function takes n as an int, which cannot be {x.size}.")
        return x if x.ndim == 1 else x.reshape(-1)


class NativeFunction(_Native):
    """A scalar function at an address, as `function` makes it. Called with an array, it returns a float."""

    __slots__ = ()

    def __call__(self, x: Any, /) -> float:
        """Return the value of f at x, which it gets a copy of."""
        return _backend.native.scalar(self.address, self.data, self.form, self._line(x))

    def __fastgrad_differences__(
        self, x: Array, h: Float64Array, scheme: Any, out: Array, reader: Reader, threads: int
    ) -> int:
        """Write the differences of f at x by these stencils into out; return how often it measured them all."""
        if x.size == 0:
            return 1
        base, result = self._fitting(x), out if out.ndim == 1 else out.reshape(-1)
        centre = self(x) if scheme.has_centre else _NAN
        gradient, address, data, form = _backend.native.gradient, self.address, self.data, self.form

        def new_run(fresh: bool = False) -> Run:
            point = base.astype(DOUBLE)
            return partial(gradient, address, data, form, base, h, scheme, centre, point, fresh, result)

        return _measure(new_run, base.size, reader, threads)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NativeVectorFunction(_Native):
    """A vector function at an address, as `vector_function` makes it. Called with an array, it returns a new array.

    Attributes
    ----------
    m : int
        The number of its values.
    """

    m: int

    def __call__(self, x: Any, /) -> Float64Array:
        """Return the values of f at x, which it gets a copy of; NaN where it writes none."""
        y = np.full(self.m, np.nan)
        _backend.native.vector(self.address, self.data, self.form, self._line(x), y)
        return y

    def __fastgrad_columns__(
        self, x: Array, h: Float64Array, scheme: Any, out: Array, reader: Reader, threads: int
    ) -> int:
        """Write the differences of f at x into out, shaped ``(m, *x.shape)``; return how often it measured them all."""
        base, result = self._fitting(x), out.reshape(self.m, x.size)
        centre = self(x) if scheme.has_centre else np.empty(self.m)

        def new_run(fresh: bool = False) -> Run:
            point, work = base.astype(np.float64), np.full((_WORK, self.m), np.nan)
            given = (self.address, self.data, self.form, base, h, scheme, centre, point, work, fresh, result)
            return partial(_backend.native.jacobian, *given)

        return _measure(new_run, base.size, reader, threads)


def _measure(new_run: Callable[..., Run], n: int, reader: Reader, threads: int) -> int:
    """Measure all entries; all again with a fresh copy a call, and return 2, where f writes into its argument."""
    if sweep(new_run, n, reader.pace, threads):
        return 1
    sweep(lambda: new_run(True), n, reader.pace, threads)
    return 2


def _named(f: Any) -> str:
    return f"the function at {f:#x}" if isinstance(f, int) else f"the {type(f).__name__}"
