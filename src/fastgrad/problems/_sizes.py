"""The sizes that a problem is made for: integers, and not too few."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from fastgrad._arrays import whole_number
from fastgrad.problems._values import VectorProblem

P = ParamSpec("P")
Maker = Callable[P, VectorProblem]


def sized(**least: int) -> Callable[[Maker[P]], Maker[P]]:
    """Let a maker of problems be called with whole sizes of at least these only, by name.

    Raises
    ------
    TypeError
        When it is called, if a size is no integer.
    ValueError
        If it is less.
    """

    def with_sizes(make: Maker[P]) -> Maker[P]:
        signature = inspect.signature(make)

        @wraps(make)
        def checked(*args: P.args, **kwargs: P.kwargs) -> VectorProblem:
            given = signature.bind(*args, **kwargs)
            for name, lowest in least.items():
                value = given.arguments.get(name, signature.parameters[name].default)
                if value is None and signature.parameters[name].default is None:
                    continue
                given.arguments[name] = size = whole_number(value, name)
                if size < lowest:
                    raise ValueError(f"{name} must be at least {lowest} in the problem {make.__name__}; got {size}.")
            return make(*given.args, **given.kwargs)

        return checked

    return with_sizes
