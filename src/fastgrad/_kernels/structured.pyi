from typing import Any

from numpy.typing import NDArray

from fastgrad._typing import Float64Array

def unit_differences(
    z: Float64Array,
    origin: Float64Array,
    c: Float64Array,
    q: Float64Array,
    tau: Float64Array,
    logp: Float64Array,
    p: Float64Array,
    w: Float64Array,
    wmax: Float64Array,
    x: Float64Array,
    reach: Float64Array,
    h: Float64Array,
    rectified: bool,
    first: int,
    left: NDArray[Any],
    right: NDArray[Any],
) -> int: ...
