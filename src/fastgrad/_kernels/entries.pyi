from fastgrad._typing import Array, Float64Array

def places(starts: Array, indices: Array, cursor: Array, targets: Array) -> None: ...
def by_color(
    starts: Array, indices: Array, colors: Array, by_rows: bool, last: Array, bounds: Array, codes: Array
) -> None: ...
def by_row(starts: Array, indices: Array, colors: Array, table: Array) -> int: ...
def unexplained(
    starts: Array,
    indices: Array,
    by_rows: bool,
    data: Array,
    moves: Float64Array,
    after: Float64Array,
    before: Float64Array,
    rounding: float,
    share: float,
    sums: Float64Array,
) -> int: ...
