"""A parameter of a layer that is to be moved, with every place that has to move with it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._layer_check.names import find
from fastgrad._layer_check.object_state import ObjectState, Place, common_entries
from fastgrad._point import as_point
from fastgrad._typing import Array


class Parameter:
    """An array of a layer that is to be moved: its value, and every place that has to move with it.

    Parameters
    ----------
    layer, state : object, ObjectState
        The layer, and its state as it was found.
    name : str
    apart : set
        The identities of places that are other parameters: they stay, even if they share memory with this one.
    """

    def __init__(self, layer: Any, state: ObjectState, name: str, apart: set[tuple[int, Any]]) -> None:
        self.place, value = find(layer, name)
        self.point = as_point(value, name)
        self.shared: tuple[tuple[int, Any], ...] = ()
        self._puts: list[tuple[Place, Callable[[Array], Any]]] = []
        if isinstance(value, np.ndarray):
            self._tie(state, value, apart)
        else:
            if self.point.tree is None and self.point.array.ndim and not isinstance(value, list | tuple):
                raise TypeError(
                    f"parameter {name} of {type(layer).__name__} is a {type(value).__name__}, which no array can stand "
                    "for: parameters are NumPy arrays, numbers, lists, or trees of these."
                )
            self._puts = [(self.place, self._like(value))]
        if not self._puts:
            self._puts = [(self.place, lambda p: p)]
        self._refuse_what_stays(layer, state, name)

    def put(self, p: Any) -> None:
        """Put a value in every place of the parameter."""
        for place, build in self._puts:
            place.put(build(p))

    def _tie(self, state: ObjectState, value: Array, apart: set[tuple[int, Any]]) -> None:
        """Find the places that hold the array itself or one that shares memory with it."""
        kept = set()
        for place, held in state.places():
            here, there = (None, None) if held is value else common_entries(held, value)
            if here is not None and here.size == 0:
                continue
            if place.identity in apart:
                kept.add(place.identity)
            elif here is None:
                self._puts.append((place, lambda p: p))
            else:
                self._puts.append((place, _view_of(held, here, there)))
        self.shared = tuple(kept)

    def _like(self, value: Any) -> Callable[[Array], Any]:
        """Return how a private array is shown in place of a number, a list or a tree."""
        if self.point.tree is not None:
            return lambda p: p
        if isinstance(value, list | tuple):
            return lambda p: type(value)(p.tolist())
        return (lambda p: p[()]) if isinstance(value, np.generic) else (lambda p: p.item())

    def _refuse_what_stays(self, layer: Any, state: ObjectState, name: str) -> None:
        """Raise the error for a parameter that is made anew whenever it is asked for: no other can be put there."""
        trial = self.point.array.copy()
        try:
            self.put(self.point.shown(trial))
            held = find(layer, name)[1]
        except (AttributeError, TypeError) as error:
            raise TypeError(f"parameter {name} of {type(layer).__name__} cannot be replaced: {error}") from error
        finally:
            state.rewind()
        if isinstance(held, np.ndarray) and not np.shares_memory(held, trial) and trial.size:
            raise TypeError(
                f"parameter {name} of {type(layer).__name__} cannot be replaced: it is computed when it is asked for. "
                "Name the array that it is computed from."
            )


def _view_of(held: Array, here: Any, there: Any) -> Callable[[Array], Array]:
    """Return how to make an array that shares entries with a parameter, with those entries moved."""

    def build(p: Array) -> Array:
        new = held.copy()
        new.reshape(-1)[here] = p.reshape(-1)[there]
        return new

    return build
