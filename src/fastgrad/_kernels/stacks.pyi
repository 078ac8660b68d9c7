from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fastgrad._stack_reading import StackReader
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction, VectorFunction

def gradient(
    f: ScalarFunction,
    x: Array,
    h: Float64Array,
    offsets: IndexArray,
    weights: Float64Array,
    widths: Float64Array,
    which: NDArray[np.uint8],
    rows: int,
    out: Array,
    reader: StackReader,
) -> int: ...
def jacobian(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    offsets: IndexArray,
    weights: Float64Array,
    widths: Float64Array,
    which: NDArray[np.uint8],
    rows: int,
    room: int,
    allocate: Callable[[tuple[int, ...]], Array],
    reader: StackReader,
) -> Array: ...
