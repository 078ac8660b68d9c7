"""A layer called again and again from the state that it was found in, and left in that state."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad._arrays import real_array
from fastgrad._containers import is_tree, to_the_end
from fastgrad._errors import ShapeError, shape_hint
from fastgrad._layer_check.names import INPUT, named_gradients
from fastgrad._layer_check.object_state import ObjectState
from fastgrad._layer_check.parameters import Parameter
from fastgrad._point import Point, as_point
from fastgrad._typing import Array, Float64Array


class Functional:
    """Two functions, forward(params, x) and backward(params, x, grad_output), as a layer that holds its parameters."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., Any], params: Any, args: Any, kwargs: Any
    ) -> None:
        if not isinstance(params, Mapping):
            raise TypeError(
                f"with (forward, backward) params must be a mapping from names to arrays; got {type(params).__name__}."
            )
        self._functions = forward, backward
        self._rest = tuple(args), dict(kwargs or {})
        self.params: dict[Any, Any] = to_the_end(_own, params)
        self._given: Any = None

    def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return forward(params, x)."""
        self._given = x
        return self._functions[0](self.params, x, *args, **kwargs)

    def backward(self, grad_output: Any) -> Any:
        """Return backward(params, x, grad_output)."""
        args, kwargs = self._rest
        return self._functions[1](self.params, self._given, grad_output, *args, **kwargs)


def _own(params: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return nested mappings as dictionaries of our own, which hold the same arrays."""
    return {key: _own(value) if isinstance(value, Mapping) else value for key, value in params.items()}


def _array_of_list(x: Any) -> Any:
    """Return a list of numbers as the array that it counts as everywhere, and all else, integers too, as it is."""
    if not isinstance(x, list | tuple) or is_tree(x):
        return x
    array = np.asarray(x)
    return array if array.dtype.kind in "biuf" else x


class LayerCalls:
    """Forward and backward of a layer at x, each from the same state; counted.

    Attributes
    ----------
    y : Point
        What forward returns.
    is_deterministic : bool
        Whether forward gave nearly the same values twice.
    forwards, backwards : int
    """

    def __init__(self, layer: Any, x: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> None:
        if isinstance(layer, type):
            raise TypeError(f"layer must be an object, and is the class {layer.__name__}: make one of it first.")
        for name in ("forward", "backward"):
            if not callable(getattr(layer, name, None)):
                raise TypeError(
                    f"layer must have methods forward(x) and backward(grad_output), or be a pair (forward, backward) "
                    f"with params=; {type(layer).__name__} has no {name}."
                )
        self.layer = layer
        self.forwards = self.backwards = 0
        self._x, self._args, self._kwargs = _array_of_list(x), tuple(args), dict(kwargs or {})
        self.state = ObjectState(layer)

    def meet(self) -> None:
        """Call forward twice, to know what it returns, which arrays it writes into, and whether it is random."""
        self.y = as_point(self._forward(self._input()), "y")
        self.state.put_back()
        again = self.outputs()
        with np.errstate(all="ignore"):
            jump, size = (float(np.max(np.abs(a), initial=0.0)) for a in (again - self.y.array.reshape(-1), again))
        self.is_deterministic = not jump > 1e-3 * size

    def outputs(self, parameter: Parameter | None = None, p: Any = None, *, x: Any = None) -> Array:
        """Return the outputs in one line: at x as it was given, or with a parameter or x in another place."""
        self.state.rewind()
        try:
            if parameter is not None:
                parameter.put(p)
            y = as_point(self._forward(self._input() if x is None else x), "y")
        finally:
            self.state.rewind()
        if y.leaves != self.y.leaves:
            raise ShapeError(
                f"forward must return arrays of one shape: it returned {_shapes(self.y)} at first, then {_shapes(y)}."
            )
        return y.array.reshape(-1)

    def cotangent(self, grad_output: Any) -> Float64Array:
        """Return a given cotangent in one line, as the outputs are."""
        if self.y.tree is not None:
            parts = self.y.tree.arrays(grad_output, "grad_output")
            return np.concatenate([np.empty(0), *(real_array(part, "grad_output").reshape(-1) for part in parts)])
        g = real_array(grad_output, "grad_output")
        if g.shape != self.y.array.shape:
            raise ShapeError(
                f"grad_output has shape {g.shape}; expected {self.y.array.shape}, the shape of what forward returns."
            )
        return np.array(g, dtype=np.float64).reshape(-1)

    def target(self, name: str, apart: set[tuple[int, Any]]) -> "Target":
        """Return what is to be moved under this name: x, or a parameter without those that are held apart."""
        if name == INPUT:
            return Target(self, name, as_point(self._x), None)
        parameter = Parameter(self.layer, self.state, name, apart)
        return Target(self, name, parameter.point, parameter)

    def claims(self, g: Float64Array, gradients: Any) -> dict[str, Any]:
        """Return what backward claims for a cotangent in one line, by name, right after a forward at x."""
        self.state.rewind()
        given = self.y.restore(g.astype(self.y.array.dtype).reshape(self.y.array.shape))
        try:
            self._forward(self._input())
            self.backwards += 1
            found = named_gradients(self.layer, self.layer.backward(given), gradients)
            return {name: deepcopy(claim) for name, claim in found.items()}
        finally:
            self.state.rewind()

    def _input(self) -> Any:
        return self._x.copy() if type(self._x) is np.ndarray else deepcopy(self._x)

    def _forward(self, x: Any) -> Any:
        self.forwards += 1
        return self.layer.forward(x, *self._args, **self._kwargs)


@dataclass(frozen=True)
class Target:
    """x, or a parameter: what the outputs are a function of."""

    calls: LayerCalls
    name: str
    point: Point
    parameter: Parameter | None

    def outputs(self, p: Any) -> Array:
        """Return the outputs, in one line, with this moved to p: an array, or a tree like x or the parameter."""
        return self.calls.outputs(x=p) if self.parameter is None else self.calls.outputs(self.parameter, p)

    def along(self, g: Float64Array) -> Callable[[Any], float]:
        """Return the inner product of a cotangent, in one line, with the outputs as a function of p."""

        def f(p: Any) -> float:
            y = self.outputs(p)
            with np.errstate(all="ignore"):
                return float(np.dot(g, y.astype(np.float64, copy=False)))

        return f

    def array_of(self, claim: Any) -> Array:
        """Return a claimed gradient as an array like the point's; it must have that shape, and no other."""
        what = f"backward's gradient of {self.name}"
        if claim is None:
            raise ShapeError(f"{what} is None for one grad_output, and an array for another.")
        if self.point.tree is not None:
            parts = [real_array(part, what) for part in self.point.tree.arrays(claim, what)]
            return np.concatenate([np.empty(0, np.result_type(*parts)), *(part.reshape(-1) for part in parts)])
        values = real_array(claim, what)
        if values.shape != self.point.array.shape:
            raise ShapeError(
                f"{what} has shape {values.shape}; {self.name} has {self.point.array.shape}, and so must its gradient."
                f"{shape_hint(values.shape, self.point.array.shape)}"
            )
        return values

    def tied(self, targets: Mapping[str, "Target"]) -> list[str]:
        """Return the names of other parameters that share memory with this one."""
        shared = self.parameter.shared if self.parameter else ()
        return [name for name, other in targets.items() if other.parameter and other.parameter.place.identity in shared]


def _shapes(y: Point) -> str:
    return " and ".join(str(leaf.shape) for leaf in y.leaves)
