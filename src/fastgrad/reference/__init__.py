"""The plain NumPy twins: slow, obvious, public; the oracle of the tests and the baseline of the benchmark."""

from fastgrad.reference.differences import numerical_gradient, numerical_jacobian

__all__ = ["numerical_gradient", "numerical_jacobian"]
