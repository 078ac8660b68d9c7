"""Frozen data as plain numbers, strings, lists and dictionaries, and back; JSON of it that any reader takes."""

import math
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Return the value as plain numbers, strings, lists and dictionaries."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(part) for name, part in value._asdict().items()}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def to_json(value: Any, indent: int | None) -> str:
    """Return JSON of plain data, in which NaN and the infinite are the strings "nan", "inf" and "-inf"."""
    import json  # loaded when needed: most results are looked at, not stored

    return json.dumps(_finite(value), indent=indent, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return {key: _finite(part) for key, part in value.items()} if isinstance(value, dict) else value


def restored(kind: type[T], data: dict[str, Any]) -> T:
    """Return the instance of a dataclass or named tuple that `plain` made this dictionary of; what is unknown is left.

    Raises
    ------
    ValueError
        If something is missing that the class cannot do without.
    """
    hints = get_type_hints(kind)
    try:
        return kind(**{name: _as(hint, data[name]) for name, hint in hints.items() if name in data})
    except TypeError as error:
        raise ValueError(f"this is no complete {kind.__name__}: {error}.") from error


def _as(hint: Any, value: Any) -> Any:
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return None if value is None else _as(next(option for option in options if option is not NoneType), value)
    if origin is tuple:
        return tuple(_as(options[0 if options[-1] is Ellipsis else k], item) for k, item in enumerate(value))
    if origin is np.ndarray:
        return np.array(value, dtype=get_args(options[1])[0]).reshape(np.shape(value))
    if origin is Literal or hint is Any or value is None:
        return value
    if isinstance(value, dict) and (is_dataclass(hint) or hasattr(hint, "_fields")):
        return restored(hint, value)
    return float(value) if hint is float else value
