from fastgrad._typing import Array, Float64Array

def move(
    x: Array,
    h: Float64Array,
    least: float,
    key: int,
    lo: int,
    hi: int,
    origin: float,
    slope: float,
    step: float,
    out: Array,
) -> None: ...
def apart(
    x: Array,
    h: Float64Array,
    least: float,
    key: int,
    lo: int,
    hi: int,
    origin: float,
    slope: float,
    step: float,
    out: Float64Array,
) -> None: ...
def project(
    v: Array,
    x: Array,
    h: Float64Array,
    least: float,
    key: int,
    lo: int,
    hi: int,
    origin: float,
    slope: float,
    step: float,
    out: Array | None,
) -> float: ...
def sizes(v: Array) -> tuple[float, float]: ...
