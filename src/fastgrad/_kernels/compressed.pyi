from fastgrad._kernels.differences import Scheme
from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, VectorFunction

class Work:
    def __init__(self, x: Array, m: int, is_dense: bool) -> None: ...

def sparse(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    bounds: Array,
    members: Array,
    starts: Array,
    indices: Array,
    by_rows: bool,
    ends: Array,
    codes: Array,
    table: Array,
    work: Work,
    data: Array,
    reader: Reader,
) -> int: ...
def dense(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    scheme: Scheme,
    bounds: Array,
    work: Work,
    data: Array,
    reader: Reader,
) -> int: ...
