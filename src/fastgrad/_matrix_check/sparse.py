"""The checks of sparse claims; the memory that they take is in proportion to the entries."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._calls import Calls
from fastgrad._colored.compression import Compression
from fastgrad._colored.symmetry import mirror_images, symmetrize
from fastgrad._direction import in_line
from fastgrad._judge.tolerance import Tolerances
from fastgrad._matrix_check.claim import is_sparse
from fastgrad._matrix_check.colored_check import ColoredCheck
from fastgrad._matrix_check.forgotten import Sheet
from fastgrad._matrix_check.judgement import Findings, SecondLook, blank, even
from fastgrad._matrix_check.stored import StoredCase, StoredClaim, refuse_misfit
from fastgrad._point import Point
from fastgrad._result import GradientCheck
from fastgrad._typing import Array, Float64Array, IndexArray, Step
from fastgrad.sparsity._color import color
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._pattern import Pattern


def jacobian_by_colors(
    calls: Calls, claimed: Any, point: Point, eps: Step, tolerance: Tolerances, sparsity: Any
) -> GradientCheck:
    """Check a claimed Jacobian against two calls of f for each colour of its pattern's columns."""
    return ColoredCheck(calls, claimed, point, eps, tolerance, sparsity).judged()


def hessian_by_colors(
    calls: Calls, claimed: Any, point: Point, eps: Step, tolerance: Tolerances, sparsity: Any
) -> GradientCheck:
    """Check a claimed Hessian against two calls of a gradient for each colour of a star colouring."""
    return _HessianCheck(calls, claimed, point, eps, tolerance, sparsity).judged()


class _HessianCheck(ColoredCheck):
    """A claimed Hessian; what is measured is a gradient."""

    what, label = "the claimed Hessian", "H"
    default_eps: Step = "auto"
    is_symmetric = True

    def line(self, x: Array) -> Float64Array:
        """Return the gradient at an array that it may keep."""
        return in_line(self._point, self._ahead(x), "what grad returns")

    def _of(self, f: Callable[[Array], Any]) -> Callable[[Array], Any]:
        return lambda x: in_line(self._point, f(x), "what grad returns")

    def _read(self, claimed: Any) -> StoredClaim:
        n = self._point.array.size
        if is_sparse(claimed):
            refuse_misfit(tuple(claimed.shape), (n, n), self.what)
        return super()._read(claimed)

    def _rows(self) -> tuple[int, ...]:
        return self._point.array.shape if self._point.tree is None else (self._point.array.size,)

    def _starting_from(self, sparsity: Any) -> Pattern | Coloring:
        start = super()._starting_from(sparsity)
        if isinstance(start, Coloring) and start.pattern.is_symmetric:
            return start
        pattern = start.pattern if isinstance(start, Coloring) else start
        return pattern if pattern.is_symmetric else pattern | pattern.T

    def _coloring(self, pattern: Pattern | Coloring) -> Coloring:
        return color(pattern, "symmetric") if isinstance(pattern, Pattern) else pattern

    def _finish(self, data: Array, by: Compression) -> None:
        own, mirror = by.coloring.alone_by_column, mirror_images(by.coloring.pattern)
        both = own & own[mirror]
        with np.errstate(all="ignore"):
            apart = float(np.max(np.abs(data - data[mirror])[both], initial=0.0))
            allowed = self._rtol * float(np.max(np.abs(data), initial=0.0))
        self._is_odd = apart > self._atol + allowed
        symmetrize(data, by.coloring)

    def _second_look(self, case: StoredCase, sheet: Sheet, is_open: Array, flaws: list[str]) -> SecondLook:
        look, n = self._look(case, sheet, is_open), self._point.array.size

        def again(beyond: IndexArray) -> Findings:
            return even(look, case.indices(beyond), n, case, self._point.name, flaws)

        return again

    def _look_closer(self, sheet: Sheet, is_open: Array, flaws: list[str]) -> None:
        """Look at the entry that differs most from its mirror image."""
        by = Compression(color(sheet.pattern), "csr")
        plain = np.zeros(sheet.pattern.nnz, sheet.measured.dtype)
        self._made += self._calls.run(lambda f: self._loop(f, by, plain), self._like(), self._point)
        with np.errstate(all="ignore"):
            apart = np.abs(plain - plain[mirror_images(sheet.pattern)])
        if np.any(apart > 0.0):
            case = self._case(sheet)
            self._second_look(case, sheet, is_open, flaws)(np.array([np.nanargmax(apart)]))

    def _matrix(self) -> Point:
        n = self._point.array.size
        return Point(blank((n, n)), label=self.label)
