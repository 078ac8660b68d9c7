"""Jacobians of one function at many points: what does not change from one to the next is made once."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Literal

import numpy as np

from fastgrad import _backend, steps
from fastgrad._arrays import whole_number
from fastgrad._colored.compression import Compression, Vjp, compression
from fastgrad._colored.missing_entries import refuse_missing
from fastgrad._errors import ShapeError, not_callable
from fastgrad._point import Point, as_point, bound, usable_out, working_array
from fastgrad._reading import Reader
from fastgrad._stencils.scheme import Plan, planned
from fastgrad._stencils.table import ORDER
from fastgrad._typing import Array, Float64Array, Step, VectorFunction

__all__ = ["JacobianPlan", "plan_jacobian"]


def plan_jacobian(
    f: VectorFunction,
    x0: Any,
    eps: Step = None,
    *,
    method: str | None = None,
    order: int | None = None,
    bounds: Any = None,
    sparsity: Any = None,
    format: Literal["csr", "csc", "coo"] | None = None,
    vjp: Vjp | None = None,
    verify: bool = True,
    argnum: int = 0,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> "JacobianPlan":
    """Return a function that measures the Jacobian of f at any point like x0, over and over.

    What it needs is made now: colours, work arrays, and the place of each entry in the result. Each Jacobian is the
    same, bit for bit, as that of `numerical_jacobian`. The plan can be given to solvers as their ``jac``. Threads may
    share it, and f may call it.

    Parameters
    ----------
    f : callable
        As `numerical_jacobian` takes it. A scalar f has its gradient for a Jacobian. Without a pattern, f is called
        once at x0, for the shape of its value.
    x0 : array_like or tree of arrays
        A point; all others must have its shape. Their dtype becomes x0's working dtype.
    eps, method, order, bounds : optional
        As `numerical_jacobian` takes them. Steps that depend on x are those of each point; "noise" is measured once, at
        x0.
    sparsity, format, vjp : optional
        As `numerical_jacobian` takes them. "detect" finds the pattern at x0.
    verify : bool
        Whether the first Jacobian by a sparse pattern is held against a difference along all of x, two calls of f.
    argnum : int
        Which positional argument of f is x; `args` are the others. With ``argnum=1`` and ``args=(t0,)``, f is called as
        ``f(t, x)``, and the plan as ``plan(t, x)``, as `scipy.integrate.solve_ivp` does.
    args, kwargs : sequence and mapping, optional
        All other arguments of f, which a call of the plan may replace.

    Returns
    -------
    JacobianPlan

    Raises
    ------
    ValueError, TypeError, ShapeError, StepError
        As `numerical_jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> plan = fg.plan_jacobian(lambda x: x[1:] * x[:-1], np.ones(4), sparsity=fg.sparsity.banded(4, 0, 1, m=3))
    >>> J = plan(np.arange(4.0))
    >>> J.toarray().round(6)
    array([[1., 0., 0., 0.],
           [0., 2., 1., 0.],
           [0., 0., 3., 2.]])
    >>> plan(np.ones(4), out=J) is J  # allocates nothing that grows with x
    True
    """
    if not callable(f):
        raise not_callable(f)
    return JacobianPlan(
        f, as_point(x0), eps, (method, order, bounds), (sparsity, format, vjp, verify), argnum, tuple(args), kwargs
    )


class JacobianPlan:
    """The Jacobian of a function as a function: ``plan(x)``, or ``plan(x, out=J)``. `plan_jacobian` makes it.

    Attributes
    ----------
    shape : tuple of int
        Of the Jacobians: ``y.shape + x.shape``, or (y.size, x.size) where they are sparse.
    coloring : Coloring or None
        Of the pattern, where there is one.
    calls, jacobians : int
        How many calls of f were made so far, for the Jacobians and for the plan, and how many Jacobians.
    """

    def __init__(
        self,
        f: VectorFunction,
        point: Point,
        eps: Step,
        how: tuple[str | None, int | None, Any],
        sparse: tuple[Any, str | None, Vjp | None, bool],
        argnum: int,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None,
    ) -> None:
        argnum = whole_number(argnum, "argnum")
        if not 0 <= argnum <= len(args):
            raise ValueError(f"argnum must be 0 to {len(args)}, as args has the other arguments; got {argnum}.")
        self._f, self._argnum, self._args, self._kwargs = f, argnum, args, dict(kwargs or {})
        self._point = _own(point)
        self.calls = self.jacobians = 0
        whole = self._of_x(args, self._kwargs)
        sparsity, format, self._vjp, self._verifies = sparse
        if isinstance(eps, str) and eps == "noise":
            from fastgrad._noise.choice import step_by_noise

            eps, self.calls = step_by_noise(point.of_array(whole), point, *how, is_scalar=False)
        self._eps, self._how = eps, how
        plan = planned(point, eps, *how)
        self._plan = plan if _is_fixed(eps, *how) else None
        self._by: Compression | None = None
        self.shape: tuple[int, ...]
        self._y_shape: tuple[int, ...] = ()
        if sparsity is not None:
            self._by = compression(whole, point, sparsity, format, by_rows=self._vjp is not None)
            self.shape = self._by.coloring.pattern.shape
        else:
            if format is not None or self._vjp is not None:
                raise TypeError("format and vjp are for sparse Jacobians: give sparsity too.")
            self._y_shape = self._first_shape(point.of_array(whole))
            self.shape = self._y_shape + point.array.shape
            self._bounds = np.arange(point.array.size + 1)
        self._desks: list[_Desk] = [self._desk()]

    @property
    def coloring(self) -> Any:
        """Of the pattern, or None."""
        return None if self._by is None else self._by.coloring

    def __call__(self, *arguments: Any, out: Any = None, **kwargs: Any) -> Any:
        """Return the Jacobian at x, in out where that is given.

        Parameters
        ----------
        *arguments
            x alone, or x among the other arguments of f, at its place, which then stand for those of the plan.
        out : ndarray or SciPy sparse array, optional
            To be filled and returned: C-contiguous, of the Jacobian's shape and x's working dtype, or a sparse array
            that the plan has returned. Then nothing that grows with x is allocated, unless steps depend on x.
        **kwargs
            Of f, in place of the plan's.

        Raises
        ------
        ShapeError, TypeError
            If x has not the shape of x0, or a dtype that does not fit into x0's; or out does not fit.
        PatternError
            If the pattern lacks entries, at the first Jacobian.
        """
        if not arguments:
            raise TypeError("a plan is called with x, or with all arguments of f.")
        rest, x = self._args, arguments[0]
        if len(arguments) > 1:
            if len(arguments) <= self._argnum:
                raise TypeError(f"f takes x as argument {self._argnum}; got {len(arguments)} arguments.")
            rest = arguments[: self._argnum] + arguments[self._argnum + 1 :]
            x = arguments[self._argnum]
        whole = self._of_x(rest, kwargs or self._kwargs)
        try:
            desk = self._desks.pop()
        except IndexError:  # f calls the plan, or another thread does
            desk = self._desk()
        try:
            return self._measured(whole, x, desk, out)
        finally:
            self._desks.append(desk)

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape)) or "scalar"
        return f"JacobianPlan({size}, {self.coloring or 'dense'})"

    def _measured(self, whole: VectorFunction, x: Any, desk: "_Desk", out: Any) -> Any:
        point = desk.point
        self._move(point, x)
        plan = self._plan
        if plan is None:
            plan = planned(point, self._eps, *self._how)
        else:
            steps.refuse_lost_steps(point, plan.h)
        f = point.of_array(whole)
        if self._by is not None:
            return self._sparse(whole, f, plan, desk, out)
        J = usable_out(out, self.shape, point.array.dtype, x)
        self.calls += _backend.compressed.dense(
            f, point.array, plan.h, plan.scheme, self._bounds, desk.work, J.reshape(-1), desk.reader
        )
        self.jacobians += 1
        return J if out is not None else point.restore(J)

    def _sparse(self, whole: VectorFunction, f: Callable[[Array], Any], plan: Plan, desk: "_Desk", out: Any) -> Any:
        by, point = self._by, desk.point
        assert by is not None
        data = by.room(point) if out is None else by.form.data_of(out, point.array.dtype)
        self.calls += by.measure(f, point, plan, desk.work, data, desk.reader)
        if self._vjp is not None:
            by.measure_rows(f, self._vjp, point, data, desk.reader)
        if self._verifies and point.array.size:
            self.calls += refuse_missing(whole, point, plan, by, data, desk.reader)
            self._verifies = False
        self.jacobians += 1
        return by.form.made(data) if out is None else out

    def _move(self, point: Point, x: Any) -> None:
        """Put x where the loop takes it from."""
        given = x
        if point.tree is not None:
            given = as_point(x).array
        elif type(x) is not np.ndarray or x.dtype != point.array.dtype:
            given = working_array(x)
        if given.shape != point.array.shape:
            raise ShapeError(f"the plan is for x of shape {point.array.shape}; got {given.shape}.")
        if not np.can_cast(given.dtype, point.array.dtype):
            raise TypeError(f"the plan is for x of dtype {point.array.dtype}; got {given.dtype}: plan with such an x0.")
        np.copyto(point.array, given)

    def _of_x(self, rest: tuple[Any, ...], kwargs: Mapping[str, Any]) -> VectorFunction:
        k, f = self._argnum, self._f
        if k == 0:
            return bound(f, rest, kwargs)
        return lambda x: f(*rest[:k], x, *rest[k:], **kwargs)

    def _first_shape(self, f: Callable[[Array], Any]) -> tuple[int, ...]:
        self.calls += 1
        return self._point.reader().at_x(f, self._point.array.copy()).shape

    def _desk(self) -> "_Desk":
        point = _own(self._point)
        if self._by is not None:
            return _Desk(point, self._by.work(point), self._by.reader(point))
        m = int(np.prod(self._y_shape, dtype=np.intp))
        work = _backend.compressed.Work(point.array, m, True)
        return _Desk(point, work, _DenseReader(point.name, self._y_shape))


class _Desk:
    """What one measurement at a time writes into."""

    __slots__ = ("point", "reader", "work")

    def __init__(self, point: Point, work: Any, reader: Any) -> None:
        self.point, self.work, self.reader = point, work, reader


class _DenseReader(Reader):
    """A reader that knows the shape of f's value beforehand."""

    __slots__ = ("_shape",)

    def __init__(self, name: Callable[[int], str], shape: tuple[int, ...]) -> None:
        super().__init__(name)
        self._shape = shape

    def array(self, y: Any, i: int, sign: int, shape: tuple[int, ...] | None) -> Float64Array:
        return super().array(y, i, sign, self._shape)


def _own(point: Point) -> Point:
    """Return the same point with an array of its own."""
    other = copy(point)
    other.array = point.array.copy()
    return other


def _is_fixed(eps: Step, method: str | None, order: int | None, bounds: Any) -> bool:
    """Tell whether stencils and steps are the same at every x."""
    if bounds is not None or isinstance(eps, str):
        return False
    return eps is not None or (method in (None, "central") and order in (None, ORDER))
