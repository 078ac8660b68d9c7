from fastgrad._typing import Array, Float64Array

def recur(
    A: Array,
    b: Float64Array,
    H: Float64Array | None,
    x: Float64Array,
    gradient: Float64Array,
    work: Float64Array,
    losses: Float64Array,
    learning_rate: float,
    weight: float,
    ridge: float,
    gtol: float,
) -> tuple[bool, int, float]: ...
