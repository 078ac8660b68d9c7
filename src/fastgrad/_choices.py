"""How many ways there are to choose some of several."""

from math import lgamma


def log_of_choices(n: int, k: int) -> float:
    """Return the logarithm of the number of ways to choose k of n."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
