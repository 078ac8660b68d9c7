"""The backward of a layer, judged by name against differences of its forward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fastgrad import steps
from fastgrad._check import gradient_check
from fastgrad._judge.tolerance import ATOL, RTOL
from fastgrad._layer_check.calls import Functional, LayerCalls, Target
from fastgrad._layer_check.names import INPUT, find
from fastgrad._layer_check.outputs import outputs_to_blame
from fastgrad._layer_check.result import LayerCheck
from fastgrad._point import Point
from fastgrad._result import GradientCheck
from fastgrad._seeds import seed_from
from fastgrad._typing import Array, Float64Array, Step
from fastgrad._workers import is_alone

_HIDDEN = "right for the grad_output that was given, wrong for a random one: what is shown is by the random one."
_RANDOM = "forward gives different values for the same x: fix its random state, or draw before the check."


def layer_check(
    layer: Any,
    x: Any,
    grad_output: Any = None,
    *,
    gradients: Any = None,
    params: Any = None,
    eps: Step = None,
    atol: float | None = None,
    rtol: float | None = None,
    rng: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    **options: Any,
) -> LayerCheck:
    """Check the backward of a layer: each gradient that it returns, by name, against differences of its forward.

    What is differenced is ``f = sum(grad_output * forward(x))``, by each parameter and by x, as `gradient_check` does
    it. Every call of forward starts from the state that the layer was found in, caches, running statistics and its own
    random generators included, and so the layer is left. A second, random cotangent is held against one projection of
    each parameter, so that a grad_output under which a bug does not show (ones, often) cannot hide it.

    Parameters
    ----------
    layer : object or pair of callables
        With methods ``forward(x)`` and ``backward(grad_output)``; or ``(forward, backward)``, functions called as
        ``forward(params, x)`` and ``backward(params, x, grad_output)``, together with `params`.
    x : array_like or tree of arrays
        What forward is given, as a copy. It is judged too, where "x" is among the gradients' names.
    grad_output : array_like or tree of arrays, optional
        The cotangent, shaped like what forward returns. None draws one: signs times magnitudes between ½ and 1.
    gradients : sequence of str, or mapping, optional
        Names of what backward returns, in its order, as ``("x", "W", "b")``, None for what is not to be judged; or a
        mapping from names to where their gradients are: a position in what backward returns, or a key of it, or an
        attribute of the layer, as ``{"x": 0, "W": "grad_W"}``. By default the layer's ``gradient_names``, or the keys
        of a mapping that backward returns. "x" is the input. Other names are attributes of the layer, keys of its
        mapping ``params``, or paths of these such as ``"encoder.W"``.
    params : mapping, optional
        For a pair of callables: the parameters by name; mappings may be nested.
    eps, atol, rtol : optional
        As `gradient_check` takes them. Where forward returns float32, None is single precision's.
    rng : int or numpy.random.Generator, optional
        Where cotangents and directions come from. None draws a fresh seed, which the result reports.
    args, kwargs : sequence and mapping, optional
        Passed on to forward after x, and to both functions of a pair after all else.
    options : optional
        Whatever else `gradient_check` takes for each of the gradients, but for `vectorized` and `workers`.

    Returns
    -------
    LayerCheck
        True when all gradients passed; unpacks as ``passed, max_error``; ``.checks`` holds a `GradientCheck` a name.

    Raises
    ------
    TypeError
        If the layer has no forward or backward, its gradients have no names, or a parameter cannot be replaced.
    AttributeError, KeyError
        If there is no parameter, or no gradient, of some name.
    ShapeError
        If a gradient is not shaped like what it belongs to, grad_output not like what forward returns, or backward
        returns another number of values than there are names.
    Exception
        Whatever forward or backward raises arrives unchanged, and the layer is left as it was.

    Notes
    -----
    An array that shares memory with a parameter moves with it, unless it is named as a parameter itself: then each is
    moved alone. A layer that draws from a generator it does not hold is random, and the verdict *inconclusive*.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> layer = fg.LinearLayer(4, 3, rng=0)
    >>> fg.layer_check(layer, np.ones((2, 4))).passed
    True
    >>> class Scale:
    ...     def __init__(self):
    ...         self.w = np.array([1.0, 2.0])
    ...
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.w * x
    ...
    ...     def backward(self, grad_output):
    ...         return grad_output * self.w, grad_output  # the second should be times x
    >>> check = fg.layer_check(Scale(), np.array([3.0, 0.5]), gradients=("x", "w"))
    >>> check.passed, check.failed
    (False, ('w',))
    """
    if options.get("vectorized") or not is_alone(options.get("workers")):
        raise TypeError(
            "a layer's own parameters are moved, one point after another: leave workers and vectorized out."
        )
    if isinstance(layer, tuple):
        layer = _pair(layer, params, args, kwargs)
    elif params is not None:
        raise TypeError("params belongs to a pair (forward, backward); a layer holds its parameters itself.")
    calls = LayerCalls(layer, x, args, kwargs)
    seed = seed_from(rng)
    try:
        return _Judge(calls, grad_output, gradients, {"eps": eps, "atol": atol, "rtol": rtol, **options}, seed).judge()
    finally:
        calls.state.put_back()


class _Judge:
    """One check of a layer."""

    def __init__(self, calls: LayerCalls, grad_output: Any, gradients: Any, options: dict[str, Any], seed: int) -> None:
        calls.meet()
        self._calls, self._gradients, self._options, self._seed = calls, gradients, options, seed
        self._draw = np.random.default_rng(seed)
        self._is_given = grad_output is not None
        self._g = self._random(calls.y.array.size) if grad_output is None else calls.cotangent(grad_output)
        self._r = self._random(calls.y.array.size)

    def judge(self) -> LayerCheck:
        """Return the verdict."""
        calls = self._calls
        first = calls.claims(self._g, self._gradients)
        calls.state.put_back()
        second = calls.claims(self._r, self._gradients)
        names = [name for name, claim in first.items() if claim is not None]
        if not names:
            raise ValueError("backward claims no gradient: every value that gradients names is None.")
        checks: dict[str, GradientCheck] = {}
        if calls.is_deterministic:
            targets = self._targets(names)
            checks = {name: self._check(targets[name], first[name], second.get(name)) for name in names}
            self._say_more(checks, targets)
        return LayerCheck(
            layer="forward, backward" if isinstance(calls.layer, Functional) else type(calls.layer).__name__,
            checks=checks,
            unclaimed=tuple(name for name in first if first[name] is None),
            seed=self._seed,
            is_given=self._is_given,
            output_shapes=tuple(leaf.shape for leaf in calls.y.leaves),
            forwards=calls.forwards,
            backwards=calls.backwards,
            reasons=() if calls.is_deterministic else (_RANDOM,),
        )

    def _targets(self, names: list[str]) -> dict[str, Target]:
        places = {name: find(self._calls.layer, name)[0].identity for name in names if name != INPUT}
        return {
            name: self._calls.target(name, {place for other, place in places.items() if other != name})
            for name in names
        }

    def _check(self, target: Target, first: Any, second: Any) -> GradientCheck:
        """Judge one gradient: entry by entry, and along one direction for another cotangent."""
        options = self._tolerances(target.point)
        check = gradient_check(target.along(self._g), target.array_of(first), target.point, **options)
        if not check.passed or second is None:
            return check
        claimed, f = target.array_of(second), target.along(self._r)
        if self._fits_along_a_direction(f, claimed, target.point, options):
            return check
        again = gradient_check(f, claimed, target.point, **options)
        if again.passed:
            return check
        return replace(again, reasons=(_HIDDEN, *again.reasons)) if self._is_given else again

    def _say_more(self, checks: dict[str, GradientCheck], targets: dict[str, Target]) -> None:
        """Tell the gradients that did not pass what speaks for a cause: tied parameters, and outputs to blame."""
        wrong = {name: targets[name] for name in checks if checks[name].verdict == "failed"}
        blamed = {}
        if wrong:
            directions = {name: (target, *self._direction(target.point)) for name, target in wrong.items()}
            blamed = outputs_to_blame(self._calls, self._r, directions, partial(self._claimed, targets=wrong))
        for name, check in checks.items():
            said = [blamed[name]] if name in blamed else []
            tied = " and ".join(targets[name].tied(targets))
            if tied and not check.passed:
                said.append(
                    f"{name} shares memory with {tied}; each was moved alone. Name one of them, if backward returns "
                    "the gradient of all."
                )
            checks[name] = replace(check, reasons=(*check.reasons, *said))

    def _claimed(self, g: Float64Array, targets: Mapping[str, Target]) -> dict[str, Float64Array]:
        """Return what backward claims for a cotangent, in one line each."""
        claims = self._calls.claims(g, self._gradients)
        return {
            name: target.array_of(claims[name]).reshape(-1).astype(np.float64, copy=False)
            for name, target in targets.items()
        }

    def _fits_along_a_direction(
        self, f: Callable[[Any], float], claimed: Array, point: Point, options: dict[str, Any]
    ) -> bool:
        """Tell whether the slope along a random direction is what the gradient claims, judged as a gradient itself."""
        x = point.array
        if x.size == 0:
            return True
        v, h = self._direction(point)
        with np.errstate(all="ignore"):
            slope = float(np.dot(claimed.reshape(-1).astype(np.float64, copy=False), v))
        line = gradient_check(
            lambda t: f(point.shown((x + float(t) * v.reshape(x.shape)).astype(x.dtype))),
            np.array(slope, claimed.dtype),
            np.zeros((), x.dtype),
            h,
            options["atol"],
            rtol=options["rtol"],
        )
        return line.verdict != "failed"

    def _direction(self, point: Point) -> tuple[Float64Array, float]:
        """Return a random direction in one line, its entries in proportion to their steps, and the step along it."""
        eps = self._tolerances(point)["eps"]
        h = steps.as_steps(point.in_line(eps, "eps"), point.array, steps.TEXTBOOK)
        longest = float(np.max(h, initial=0.0))
        return self._random(point.array.size) * (h / longest), longest

    def _tolerances(self, point: Point) -> dict[str, Any]:
        """Return steps and tolerances: single precision's where forward returns that, unless others were given."""
        options = dict(self._options)
        if self._calls.y.array.dtype.char == "f":
            if options["eps"] is None and point.array.dtype.char == "d":
                options["eps"] = steps.TEXTBOOK["f"]
            options["atol"] = ATOL["f"] if options["atol"] is None else options["atol"]
            options["rtol"] = RTOL["f"] if options["rtol"] is None else options["rtol"]
        return options

    def _random(self, n: int) -> Float64Array:
        """Return signs times magnitudes in [½, 1): no entry is missed, and none decides alone."""
        signs: Float64Array = self._draw.choice([-1.0, 1.0], n)
        return signs * self._draw.uniform(0.5, 1.0, n)


def _pair(pair: tuple[Any, ...], params: Any, args: Any, kwargs: Any) -> Functional:
    if len(pair) != 2 or not all(map(callable, pair)):
        raise TypeError(
            "layer must be an object with forward and backward, or a pair of callables (forward, backward)."
        )
    return Functional(*pair, params, args, kwargs)
