import numpy as np
from numpy.typing import NDArray

from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction

class Pairing:
    def __init__(
        self,
        axis: IndexArray,
        seconds: Float64Array,
        second_widths: Float64Array,
        corners: IndexArray,
        weights: Float64Array,
        sides: Float64Array,
        widths: Float64Array,
        which: NDArray[np.uint8],
    ) -> None: ...

def hessian(
    f: ScalarFunction, x: Array, h: Float64Array, pairing: Pairing, values: Float64Array, H: Array, reader: Reader
) -> int: ...
def symmetrize(J: Array) -> float: ...
