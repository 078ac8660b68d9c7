"""Functions in machine code as f: called without the interpreter, at the speed of a loop in C."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._addresses import locate
from fastgrad._arrays import real_array, whole_number
from fastgrad._c_signature import INT_COUNT, form_of, refused
from fastgrad._errors import ShapeError
from fastgrad._spans import sweep
from fastgrad._typing import Array, Float64Array, Pace, Run

__all__ = ["NativeFunction", "NativeVectorFunction", "function", "vector_function"]

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
        If m is not positive, or more than the int can be that f takes it as.

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
    m = whole_number(m, "m, the number of values,")
    if m < 1:
        raise ValueError(f"m is the number of values of f, at least 1; got {m}.")
    found = locate(f, data, signature)
    try:
        form = form_of(found.signature, is_scalar=False)
    except ValueError:
        raise refused(_named(f), found.signature, is_scalar=False) from None
    if m > _LARGEST_INT and form & INT_COUNT:
        raise ValueError(f"the function takes m as an int, which cannot be {m}.")
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
        line = np.array(real_array(x, "x"), dtype=np.float64, order="C").reshape(-1)
        self._refuse_too_many(line.size)
        return line

    def _refuse_too_many(self, n: int) -> None:
        if n > _LARGEST_INT and self.form & INT_COUNT:
            raise ShapeError(f"the function takes n as an int, which cannot be {n}.")


class NativeFunction(_Native):
    """A scalar function at an address, as `function` makes it. Called with an array, it returns a float."""

    __slots__ = ()

    def __call__(self, x: Any, /) -> float:
        """Return the value of f at x, which it gets a copy of."""
        return _backend.native.scalar(self.address, self.data, self.form, self._line(x))

    def __fastgrad_differences__(
        self, x: Array, h: Float64Array, scheme: Any, out: Array, threads: int, pace: Pace | None = None
    ) -> int:
        """Write the differences of f at x by these stencils into out; return how often it measured them all."""
        n = x.size
        if n == 0:
            return 1
        self._refuse_too_many(n)
        centre = self(x) if scheme.has_centre else _NAN

        def new_run(fresh: bool = False) -> Run:
            return _backend.native.gradient(self.address, self.data, self.form, x, h, scheme, centre, fresh, out)

        return _measure(new_run, n, threads, pace)


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
        self, x: Array, h: Float64Array, scheme: Any, out: Array, threads: int, pace: Pace | None = None
    ) -> int:
        """Write the differences of f at x into out, shaped ``(m, *x.shape)``; return how often it measured them all."""
        self._refuse_too_many(x.size)
        centre = self(x) if scheme.has_centre else np.empty(self.m)

        def new_run(fresh: bool = False) -> Run:
            return _backend.native.jacobian(self.address, self.data, self.form, x, h, scheme, centre, fresh, out)

        return _measure(new_run, x.size, threads, pace)


def _measure(new_run: Callable[..., Run], n: int, threads: int, pace: Pace | None) -> int:
    """Measure all entries; all again with a fresh copy a call, and return 2, where f writes into its argument."""
    if sweep(new_run, n, pace, threads):
        return 1
    sweep(lambda: new_run(True), n, pace, threads)
    return 2


def _named(f: Any) -> str:
    return f"the function at {f:#x}" if isinstance(f, int) else f"the {type(f).__name__}"
