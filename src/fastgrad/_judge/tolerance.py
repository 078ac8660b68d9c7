"""Tolerances: as they were given, or those of the precision that is judged by."""

from fastgrad._arrays import given_tolerance

#: The tolerances for None, by the character of the dtype that is judged.
ATOL = {"d": 1e-6, "f": 1e-3}
RTOL = {"d": 1e-5, "f": 1e-2}

#: atol and rtol as they were given.
Tolerances = tuple[float | None, float | None]


def tolerances(given: Tolerances, precision: str) -> tuple[float, float]:
    """Return atol and rtol as given, or those of a precision.

    Raises
    ------
    TypeError, ValueError
        If one is no number, or negative, infinite or NaN.
    """
    atol, rtol = given
    return _tolerance("atol", atol, ATOL[precision]), _tolerance("rtol", rtol, RTOL[precision])


def _tolerance(name: str, given: float | None, default: float) -> float:
    return default if given is None else given_tolerance(given, name)
