"""How f is called: by workers or in stacks, where a loop's calls can be foreseen, and alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad import _loops
from fastgrad._errors import not_callable
from fastgrad._foreseen import foreseen
from fastgrad._point import Point, bound
from fastgrad._stacks import Stacked
from fastgrad._typing import Array
from fastgrad._workers import is_alone


def f_or_grad(f: Callable[..., Any] | None, grad: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """Return what second derivatives are measured from: the gradient where it is given, and else f."""
    if grad is not None and not callable(grad):
        raise not_callable(grad, "grad")
    return f if grad is None else grad


@dataclass(frozen=True)
class Calls:
    """f as the user gave it.

    Attributes
    ----------
    f : callable
    args, kwargs : sequence and mapping, optional
        Its other arguments.
    vectorized : bool
        Whether it takes stacks.
    workers : optional
        Who calls it, where its calls can be foreseen.
    """

    f: Callable[..., Any] | None
    args: Sequence[Any]
    kwargs: Mapping[str, Any] | None
    vectorized: bool
    workers: Any

    @property
    def are_shared(self) -> bool:
        """Whether others call f, or it is called with many points at once."""
        return self.vectorized or not is_alone(self.workers)

    @property
    def are_threads(self) -> bool:
        """Whether the workers are threads for a native f."""
        return self.are_shared and _loops.takes_threads(self.f, self.workers)

    def whole(self, point: Point) -> Callable[[Any], Any]:
        """Return f as a function of what x is, an array or a tree."""
        if not self.vectorized or point.tree is None:
            return self.alone(point) if point.tree is None else bound(self.f, self.args, self.kwargs)
        one, tree, dtype = self.alone(point), point.tree, point.array.dtype
        return lambda x: one(np.asarray(tree.spread(x, "x"), dtype))

    def alone(self, point: Point) -> Callable[[Array], Any]:
        """Return f as a function of one array like the point's."""
        whole = bound(self.f, self.args, self.kwargs)
        return Stacked(whole, point).one if self.vectorized else point.of_array(whole)

    def run(self, loop: Callable[[Callable[[Array], Any]], Any], like: Any, point: Point) -> Any:
        """Return what a loop over calls of f returns, with workers or stacks where these were asked for.

        What the loop does with its values must not decide where it goes on; `like` is such a value.
        """
        if not self.are_shared:
            return loop(self.alone(point))
        if self.are_threads:
            from concurrent.futures import ThreadPoolExecutor  # loaded when needed: who calls f alone does without

            with ThreadPoolExecutor(_loops.threads_of(self.workers)) as threads:
                return self._foreseen(loop, like, point, threads)
        return self._foreseen(loop, like, point, self.workers)

    def _foreseen(self, loop: Callable[[Callable[[Array], Any]], Any], like: Any, point: Point, workers: Any) -> Any:
        f = bound(self.f, (), None)
        return foreseen(loop, like, f, point, workers, self.args, self.kwargs, vectorized=self.vectorized)
