from fastgrad._typing import Array, Float64Array

def places(starts: Array, indices: Array, cursor: Array, targets: Array) -> None: ...
def product(
    starts: Array,
    rows: Array,
    targets: Array,
    data: Array,
    moves: Float64Array,
    change: Float64Array,
    size: Float64Array,
) -> None: ...
