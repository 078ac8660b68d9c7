from fastgrad._kernels.differences import Scheme
from fastgrad._typing import Array, Float64Array, Run

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
    fresh: bool,
    out: Array,
) -> Run: ...
def jacobian(
    address: int,
    data: int,
    form: int,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    centre: Float64Array,
    fresh: bool,
    out: Array,
) -> Run: ...
