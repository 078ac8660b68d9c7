from fastgrad._typing import Array

def star(
    starts: Array, indices: Array, order: Array, mirror: Array, hubs: Array, stamps: Array, colors: Array
) -> int: ...
