from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction, VectorFunction

class Scheme:
    has_centre: bool
    def __init__(
        self, offsets: IndexArray, weights: Float64Array, widths: Float64Array, which: NDArray[np.uint8]
    ) -> None: ...

def gradient(f: ScalarFunction, x: Array, h: Float64Array, scheme: Scheme, out: Array, reader: Reader) -> int: ...
def jacobian(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    allocate: Callable[[tuple[int, ...]], Array],
    reader: Reader,
) -> Array: ...
def first_lost_step(x: Array, h: Float64Array) -> int: ...
