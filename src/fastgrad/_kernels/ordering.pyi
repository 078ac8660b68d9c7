from fastgrad._typing import Array

def degrees(starts: Array, indices: Array, row_starts: Array, columns: Array, seen: Array, out: Array) -> None: ...
def by_key(
    starts: Array,
    indices: Array,
    row_starts: Array,
    columns: Array,
    keys: Array,
    entering: Array,
    change: int,
    work: Array,
    out: Array,
) -> None: ...
