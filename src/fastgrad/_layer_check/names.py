"""Which array of a layer a name means, and which part of what backward leaves is claimed to be its gradient."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastgrad._errors import ShapeError
from fastgrad._layer_check.object_state import Place

#: The name of what forward is given.
INPUT = "x"
_MISSING = object()


def find(layer: Any, name: str) -> tuple[Place, Any]:
    """Return where a layer holds the parameter of this name, and the parameter.

    A name is an attribute, else a key of the layer's mapping ``params``; ``"encoder.W"`` goes on from there, through
    attributes, keys and the positions of lists.
    """
    found = _find(layer, name)
    if found is None or found[1] is None:
        known = ", ".join(sorted(_array_names(layer))) or "none"
        what = "is None: call forward once, if that is what makes it" if found else "is not there"
        raise AttributeError(
            f"{type(layer).__name__} has no parameter {name!r} (it {what}). Arrays that it holds: {known}. Name "
            f'parameters by attribute, by a key of params, or by a path such as "encoder.W".'
        )
    return found


def _find(owner: Any, name: str) -> tuple[Place, Any] | None:
    for holder in (owner, getattr(owner, "params", None)):
        if isinstance(holder, Mapping):
            if name in holder:
                return Place(holder, name), holder[name]
        elif isinstance(holder, list) and name.isdigit() and int(name) < len(holder):
            return Place(holder, int(name)), holder[int(name)]
        elif (value := getattr(holder, name, _MISSING)) is not _MISSING and holder is owner:
            attributes = getattr(owner, "__dict__", None)
            is_plain = isinstance(attributes, dict) and name in attributes
            return Place(attributes if is_plain else owner, name), value
    head, dot, rest = name.partition(".")
    inner = _find(owner, head) if dot else None
    return inner and _find(inner[1], rest)


def _array_names(layer: Any) -> Iterator[str]:
    params = getattr(layer, "params", None)
    for held in (getattr(layer, "__dict__", None), params):
        if isinstance(held, Mapping):
            yield from (str(name) for name, value in held.items() if isinstance(value, np.ndarray))


def named_gradients(layer: Any, returned: Any, gradients: Any) -> dict[str, Any]:
    """Return the claimed gradients by the name of what they belong to; None in place of one that is not claimed.

    Parameters
    ----------
    layer : object
        After its backward.
    returned : object
        What backward returned.
    gradients : None, str, sequence or mapping
        Names in the order of what backward returns, or where the gradient of each name is: a position, or a key of what
        backward returned, or an attribute of the layer. None takes the layer's `gradient_names`, or the keys of a
        mapping that backward returned.
    """
    if gradients is None:
        gradients = getattr(layer, "gradient_names", None)
    if gradients is None and isinstance(returned, Mapping):
        gradients = {name: name for name in returned}
    if gradients is None:
        raise TypeError(
            'what backward returns must be named, for it is not guessed from shapes: give gradients=("x", "W", '
            '"b") in the order of its return value, a dictionary such as {"x": 0, "W": "grad_W"}, or the layer an '
            "attribute gradient_names."
        )
    if isinstance(gradients, set | frozenset):
        raise TypeError("gradients is a set, which has no order: give a tuple of names, or a dictionary.")
    if isinstance(gradients, Mapping):
        found = {name: _claimed(layer, returned, name, where) for name, where in gradients.items()}
    else:
        found = _in_order(returned, (gradients,) if isinstance(gradients, str) else tuple(gradients))
    return dict(_spread(found))


def _in_order(returned: Any, names: tuple[str | None, ...]) -> dict[str, Any]:
    if twice := [name for k, name in enumerate(names) if name is not None and name in names[:k]]:
        raise ValueError(f"gradients names {twice[0]!r} twice: one of the two would not be judged.")
    if isinstance(returned, Mapping):
        if missing := [name for name in names if name is not None and name not in returned]:
            raise KeyError(
                f"backward returned a mapping without {missing[0]!r}; its keys: {', '.join(map(str, returned))}."
            )
        return {name: returned[name] for name in names if name is not None}
    values = list(returned) if isinstance(returned, tuple | list) and len(names) > 1 else _one(returned)
    if len(values) != len(names):
        raise ShapeError(
            f"backward returned {len(values)} {'value' if len(values) == 1 else 'values'}, and gradients names "
            f"{len(names)}: {', '.join(map(str, names))}. Put None where a value is no gradient to be judged; a "
            'gradient that is left as an attribute is named by a dictionary, {"W": "grad_W"}.'
        )
    return {name: value for name, value in zip(names, values, strict=True) if name is not None}


def _one(returned: Any) -> list[Any]:
    """Return what a backward with a single name returned: the value itself, or a tuple of one."""
    return list(returned) if isinstance(returned, tuple) and len(returned) != 0 else [returned]


def _claimed(layer: Any, returned: Any, name: str, where: Any) -> Any:
    """Return the gradient that is at this place."""
    if where is None:
        return None
    if isinstance(where, int):
        values = returned if isinstance(returned, tuple | list) else (returned,)
        if not -len(values) <= where < len(values):
            raise ShapeError(
                f"gradients looks for that of {name} at position {where} of what backward returned, which holds "
                f"{len(values)}."
            )
        return values[where]
    if isinstance(returned, Mapping) and where in returned:
        return returned[where]
    found = _find(layer, where) if isinstance(where, str) else None
    if found is None:
        raise AttributeError(
            f"gradients looks for that of {name} at {where!r}: backward returned nothing of this name, and "
            f"{type(layer).__name__} has no such attribute after it. Arrays that it holds: "
            f"{', '.join(sorted(_array_names(layer))) or 'none'}."
        )
    return found[1]


def _spread(found: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield gradients by dotted names: a mapping of gradients belongs to what its keys name within the name."""
    for name, value in found.items():
        full = f"{path}{name}"
        if isinstance(value, Mapping) and full != INPUT:
            yield from _spread(value, f"{full}.")
        else:
            yield full, value
