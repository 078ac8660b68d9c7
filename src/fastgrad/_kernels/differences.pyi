from collections.abc import Callable

from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, ScalarFunction, VectorFunction

def gradient(f: ScalarFunction, x: Array, h: Float64Array, out: Array, reader: Reader) -> int: ...
def jacobian(
    f: VectorFunction, x: Array, h: Float64Array, allocate: Callable[[tuple[int, ...]], Array], reader: Reader
) -> Array: ...
def first_lost_step(x: Array, h: Float64Array) -> int: ...
