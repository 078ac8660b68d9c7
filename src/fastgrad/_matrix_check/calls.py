"""How a check calls f: in its first look, with workers or in stacks, and alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastgrad._foreseen import shared_out
from fastgrad._point import Point, bound
from fastgrad._stacks import Stacked
from fastgrad._typing import Array
from fastgrad._workers import is_alone


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
        Who calls it in the first look.
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

    def alone(self, point: Point) -> Callable[[Array], Any]:
        """Return f as a function of one array like the point's."""
        whole = bound(self.f, self.args, self.kwargs)
        return Stacked(whole, point).one if self.vectorized else point.of_array(whole)

    def run(self, loop: Callable[[Callable[[Array], Any]], Any], like: Any, point: Point) -> Any:
        """Return what a loop over calls of f returns, with workers or stacks where these were asked for.

        What the loop does with its values must not decide where it goes on; `like` is such a value.
        """
        return shared_out(loop, like, self.f, point, self.workers, self.args, self.kwargs, vectorized=self.vectorized)
