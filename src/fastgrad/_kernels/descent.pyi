from fastgrad._typing import Array, Float64Array

def descend(
    A: Array,
    b: Float64Array,
    x: Float64Array,
    gradient: Float64Array,
    work: Float64Array,
    losses: Float64Array,
    learning_rate: float,
    weight: float,
    ridge: float,
    gtol: float,
) -> tuple[int, int, float]: ...
