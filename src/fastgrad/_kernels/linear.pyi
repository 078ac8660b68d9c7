from typing import Any

from numpy.typing import NDArray

from fastgrad._typing import Float64Array

def layer_differences(
    W: NDArray[Any],
    x: Float64Array,
    shift: Float64Array,
    c: Float64Array,
    q: Float64Array,
    h: Float64Array,
    nbytes: int,
    out: NDArray[Any],
) -> None: ...
