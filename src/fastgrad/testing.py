"""Assertions for tests: what they raise is an AssertionError whose message is the report."""

from fastgrad._matrix_assertions import assert_hessian, assert_jacobian

__all__ = ["assert_hessian", "assert_jacobian"]
