from fastgrad._kernels.differences import Scheme
from fastgrad._typing import Array, Float64Array

def scalar(address: int, data: int, form: int, x: Float64Array) -> float: ...
def vector(address: int, data: int, form: int, x: Float64Array, y: Float64Array) -> None: ...
def gradient(
    address: int,
    data: int,
    form: int,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    centre: float,
    point: Float64Array,
    fresh: bool,
    out: Array,
    start: int,
    stop: int,
    seconds: float,
) -> int: ...
def jacobian(
    address: int,
    data: int,
    form: int,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    centre: Float64Array,
    point: Float64Array,
    work: Float64Array,
    fresh: bool,
    out: Array,
    start: int,
    stop: int,
    seconds: float,
) -> int: ...
