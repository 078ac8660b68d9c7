"""Tolerances: as they were given, or those of the precision that is judged by."""

#: The tolerances for None, by the character of the dtype that is judged.
ATOL = {"d": 1e-6, "f": 1e-3}
RTOL = {"d": 1e-5, "f": 1e-2}

#: atol and rtol as they were given.
Tolerances = tuple[float | None, float | None]


def tolerances(given: Tolerances, precision: str) -> tuple[float, float]:
    """Return atol and rtol as given, or those of a precision.

    Raises
    ------
    ValueError
        If one is negative or NaN.
    """
    atol, rtol = given
    return _tolerance("atol", atol, ATOL[precision]), _tolerance("rtol", rtol, RTOL[precision])


def _tolerance(name: str, given: float | None, default: float) -> float:
    if given is None:
        return default
    if not given >= 0:
        raise ValueError(f"{name} must be a number that is not negative; got {given!r}.")
    return float(given)
