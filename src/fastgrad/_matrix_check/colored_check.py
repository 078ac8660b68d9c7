"""A sparse claim against what is measured by the colours of its pattern, completed where that lacks entries."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad._ahead import Ahead
from fastgrad._calls import Calls
from fastgrad._colored.compression import Compression, pattern_of
from fastgrad._colored.reader import ColorReader
from fastgrad._errors import ShapeError
from fastgrad._judge.claim import Claim
from fastgrad._judge.tolerance import Tolerances, tolerances
from fastgrad._matrix_check.claim import is_sparse, matrix_claim
from fastgrad._matrix_check.colored_recheck import ColoredLook
from fastgrad._matrix_check.forgotten import Completion, Sheet
from fastgrad._matrix_check.judgement import Findings, SecondLook, blank, judge, no_progress
from fastgrad._matrix_check.recheck import Outputs
from fastgrad._matrix_check.stored import (
    StoredCase,
    StoredClaim,
    claim_of_dense,
    flat_indices,
    refuse_misfit,
    stored_claim,
)
from fastgrad._noise.precision import may_be_single
from fastgrad._point import Point
from fastgrad._reading import Reader
from fastgrad._result import GradientCheck
from fastgrad._stencils.scheme import planned
from fastgrad._typing import Array, Float64Array, IndexArray, Step
from fastgrad.sparsity._color import color
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._pattern import Pattern


class ColoredCheck:
    """A claimed Jacobian, as it is measured by colours, completed and judged."""

    what, label = "the claimed Jacobian", "J"
    default_eps: Step = None
    is_symmetric = False

    def __init__(
        self,
        calls: Calls,
        claimed: Any,
        point: Point,
        eps: Step,
        tolerance: Tolerances,
        sparsity: Any,
    ) -> None:
        self._calls, self._ahead, self._point, self._eps = calls, Ahead(calls, point), point, eps
        self._plan = planned(point, self.default_eps if eps is None else eps, None, None, None)
        self._outputs = Outputs(self.line, point, self._plan.h)
        self._made, self._resolution = 0, 0.0
        self._is_odd = False
        self._y_shape: tuple[int, ...] | None = None
        self._claim = self._read(claimed)
        self._atol, self._rtol = tolerances(tolerance, self._claim.precision)
        self._start = self._starting_from(sparsity)

    def line(self, x: Array) -> Any:
        """Return what the Jacobian is of, at an array that it may keep."""
        return self._ahead(x)

    def judged(self) -> GradientCheck:
        """Return the verdict."""
        sheet, flaws = self._sheet(self._start), list[str]()
        is_open = np.zeros(self._claim.pattern.shape[0], np.bool_)
        if self._is_odd:
            self._look_closer(sheet, is_open, flaws)
        if not flaws and self._point.array.size and sheet.pattern.nnz < is_open.size * self._point.array.size:
            sheet = self._completed(sheet, is_open, flaws)
        if not flaws and (coarse := self._coarse(sheet)).size:
            flaws.append(self._too_coarse(coarse))
        case = self._case(sheet)
        found = judge(
            case,
            sheet.measured,
            self._second_look(case, sheet, is_open, flaws),
            self._calls_made,
            is_left_out=lambda k: self._claim.is_left_out(case.indices(k)),
            outputs=self._outputs,
            flaws=flaws,
        )
        return replace(found, mode="sparse", resolution=max(found.resolution, self._resolution))

    def _completed(self, sheet: Sheet, is_open: Array, flaws: list[str]) -> Sheet:
        """Return the sheet with the entries that its pattern lacked; mark the rows that keep their secret."""
        completion = Completion(
            self._outputs.asked,
            self._point,
            np.broadcast_to(self._plan.h, self._point.array.size),
            self._atol,
            self._sheet,
            sheet,
            self._calls_made,
            self.is_symmetric,
        )
        completion.run()
        self._resolution = completion.resolution
        is_open[completion.open] = True
        if completion.open.size:
            flaws.append(self._unexplained(completion.open))
        if completion.is_odd:
            self._look_closer(completion.sheet, is_open, flaws)
        return completion.sheet

    def _coarse(self, sheet: Sheet) -> IndexArray:
        """Return the rows of no claims in which nothing was measured, where f may only have too few digits."""
        is_empty = np.ones(sheet.pattern.shape[0], np.bool_)
        rows = np.repeat(np.arange(is_empty.size), sheet.pattern.row_counts)
        is_empty[rows[(sheet.measured != 0.0) | (np.abs(sheet.claimed) > self._atol)]] = False
        if self._rtol == 0 or not self._point.array.size or not is_empty.any():
            return np.empty(0, np.intp)
        centre = self._outputs.values(self._point.array.copy())
        few = np.flatnonzero(is_empty & may_be_single(centre))
        return np.array([row for row in few.tolist() if self._outputs.may_be_coarse(row, self._atol)], np.intp)

    def _too_coarse(self, rows: IndexArray) -> str:
        return (
            f"{rows.size} value{' stands' if rows.size == 1 else 's stand'} still on these steps and not on larger "
            f"ones ({_some(rows)}, flat), having so few digits: compute f in double precision."
        )

    def _calls_made(self) -> int:
        return self._made + self._outputs.calls

    def _look_closer(self, sheet: Sheet, is_open: Array, flaws: list[str]) -> None:
        """Look why values do otherwise than the entries say, though none are missing: f may have a kink nearby."""

    def _read(self, claimed: Any) -> StoredClaim:
        n = self._point.array.size
        if not is_sparse(claimed):
            rows = self._rows()
            dense = matrix_claim(claimed, rows, self._point, self.what)
            return claim_of_dense(dense.claim, (int(np.prod(rows, dtype=np.intp)), n))
        if claimed.shape[1] != n:
            refuse_misfit(tuple(claimed.shape), (int(np.prod(self._rows(), dtype=np.intp)), n), self.what)
        return stored_claim(claimed, self._point, self.what)

    def _rows(self) -> tuple[int, ...]:
        """Return the shape of f's values; it is called, if it was not yet."""
        if self._y_shape is None:
            self._made += 1
            self._y_shape = self._point.reader().at_x(self.line, self._point.array.copy()).shape
        return self._y_shape

    def _starting_from(self, sparsity: Any) -> Pattern | Coloring:
        """Return the pattern, or the colouring, that the first look goes by: it has what the claim has."""
        if sparsity is None:
            return self._claim.pattern
        alone = Point(self._point.array, label=self._point.label)
        given, _ = pattern_of(self.line, alone, sparsity, None)
        pattern = given.pattern if isinstance(given, Coloring) else given
        if pattern.shape != self._claim.pattern.shape:
            raise ShapeError(f"sparsity has the shape {pattern.shape}; expected {self._claim.pattern.shape}.")
        whole = pattern | self._claim.pattern
        return given if whole.nnz == pattern.nnz else whole

    def _coloring(self, pattern: Pattern | Coloring) -> Coloring:
        if isinstance(pattern, Pattern):
            return color(pattern)
        if pattern.partition != "columns":
            raise ValueError(f"a Jacobian is checked by a colouring of 'columns'; got one of {pattern.partition!r}.")
        return pattern

    def _sheet(self, pattern: Pattern | Coloring) -> Sheet:
        """Return what is measured by a pattern, and what is claimed there."""
        coloring = self._coloring(pattern)
        by = Compression(coloring, "csr")
        data = np.zeros(coloring.pattern.nnz, self._point.array.dtype)
        self._made += self._calls.run(lambda f: self._loop(f, by, data), self._like(), self._point)
        self._finish(data, by)
        return Sheet(by.form, data, self._claim.at(flat_indices(coloring.pattern)))

    def _loop(self, f: Callable[[Array], Any], by: Compression, data: Array) -> int:
        reader = _ClaimReader(self._point, by.coloring, self.what)
        calls = by.measure(self._of(f), self._point, self._plan, by.work(self._point), data, reader)
        self._y_shape = reader.seen or self._y_shape
        return calls

    def _of(self, f: Callable[[Array], Any]) -> Callable[[Array], Any]:
        return f

    def _like(self) -> Any:
        return np.zeros(self._claim.pattern.shape[0])

    def _finish(self, data: Array, by: Compression) -> None:
        """Make of what was measured column by column what the matrix is."""

    def _matrix(self) -> Point:
        """Return what knows the names of the entries."""
        return Point(blank(self._rows() + self._point.array.shape), label=self.label)

    def _case(self, sheet: Sheet) -> StoredCase:
        return StoredCase(
            f=None,
            point=self._matrix(),
            claim=Claim(sheet.claimed, self._claim.precision),
            h=self._plan.h,
            eps=self._eps,
            where=flat_indices(sheet.pattern),
            progress=no_progress(),
            atol=self._atol,
            rtol=self._rtol,
        )

    def _second_look(self, case: StoredCase, sheet: Sheet, is_open: Array, flaws: list[str]) -> SecondLook:
        look = self._look(case, sheet, is_open)

        def again(beyond: IndexArray) -> Findings:
            at = case.indices(beyond)
            return look(at, at)

        return again

    def _look(self, case: StoredCase, sheet: Sheet, is_open: Array) -> Callable[[IndexArray, IndexArray], Findings]:
        """Return the second look at flat indices, with the claims at others."""

        def look(at: IndexArray, claims: IndexArray) -> Findings:
            colors = color(sheet.pattern).column_colors
            colored = ColoredLook(self._outputs, self._ahead, self._point, self._plan.h, colors, ~is_open)
            rows, cols = np.divmod(at, self._point.array.size)
            assert case.where is not None
            first = sheet.measured[np.searchsorted(case.where, at)].astype(np.float64)
            claimed = self._claim.at(claims).astype(np.float64)
            return colored.look_again(rows, cols, claimed, first, case.atol, case.rtol)

        return look

    def _unexplained(self, rows: IndexArray) -> str:
        return (
            f"{rows.size} value{' changes' if rows.size == 1 else 's change'} along x by other than the entries "
            f"measured ({_some(rows)}, flat), and which are missing could not be told: give sparsity= a pattern that "
            "has them."
        )


def _some(rows: IndexArray) -> str:
    return ", ".join(map(str, rows[:3].tolist())) + (" …" if rows.size > 3 else "")


class _ClaimReader(ColorReader):
    """A reader that speaks of the claim, where f has not as many values as that has rows."""

    __slots__ = ("_what",)

    def __init__(self, point: Point, coloring: Coloring, what: str) -> None:
        super().__init__(point.name, coloring.pattern.shape, *coloring.grouped_columns)
        self._what = what

    def array(self, y: Any, i: int, sign: int, shape: tuple[int, ...] | None) -> Float64Array:
        """Return y as C-ordered doubles, as many as the claim has rows."""
        values = Reader.array(self, y, i, sign, shape)
        m, n = self._shape
        refuse_misfit((m, n), (values.size, n), self._what)
        self.seen = values.shape
        return values
