"""The compiled loop over colours against the plain one: the same points, the same bits, the same errors."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrad import sparsity
from fastgrad._colored.reader import ColorReader
from fastgrad._kernels import compressed, differences
from fastgrad._point import as_point
from fastgrad._reading import entry_name
from fastgrad._stencils.scheme import planned
from fastgrad.reference import compressed as plain_compressed
from fastgrad.reference import differences as plain_differences
from fastgrad.reference import entries as plain_entries
from fastgrad.sparsity import Pattern
from tests.twins.by_color import chosen

TWINS = (compressed, differences), (plain_compressed, plain_differences)
HOW: list[dict[str, Any]] = [
    {},
    {"order": 4},
    {"method": "forward"},
    {"method": "backward", "order": 3},
    {"eps": "auto"},
]


class Recorder:
    """An f with the rows of a pattern, which keeps every point at which it was called."""

    def __init__(self, A: Any) -> None:
        self.A, self.points = A, list[Any]()

    def __call__(self, x: Any) -> Any:
        self.points.append(x.copy())
        return (self.A * np.sin(x.reshape(-1))).sum(axis=1)


def scheme_of(module: Any, plan: Any) -> Any:
    length = max(len(s.offsets) for s in plan.stencils)
    offsets = np.zeros((len(plan.stencils), length), np.intp)
    weights = np.zeros((len(plan.stencils), length))
    for row, s in enumerate(plan.stencils):
        offsets[row, : len(s.offsets)] = s.offsets
        weights[row, : len(s.offsets)] = s.numerators
    return module.Scheme(offsets, weights, np.array([float(s.denominator) for s in plan.stencils]), plan.which)


def arrays(pattern: Pattern, dtype: Any, by_rows: bool = True, in_table: bool = False) -> list[Any]:
    """Return what the loop over colours takes of a pattern, from `bounds` to `table`."""
    coloring = sparsity.color(pattern)
    groups = [a.astype(dtype) for a in coloring.grouped_columns]
    lines = [a.astype(dtype) for a in (pattern.csr if by_rows else pattern.csc)]
    table = np.empty((coloring.n_colors, pattern.shape[0]) if in_table else (0, 0), np.uint8)
    if in_table:
        assert plain_entries.by_row(lines[0], lines[1], coloring.column_colors, table) == pattern.nnz
        return [*groups, *lines, True, np.zeros(1, np.intp), np.empty(0, np.uint16), table]
    return [*groups, *lines, by_rows, *chosen(plain_entries, lines, by_rows, coloring.column_colors), table]


@settings(max_examples=60)
@given(
    m=st.integers(0, 8),
    n=st.integers(1, 8),
    density=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    how=st.sampled_from(HOW),
    is_bounded=st.booleans(),
    by=st.sampled_from(["columns", "rows", "rows in a table"]),
    dtype=st.sampled_from([np.float64, np.float32]),
    index=st.sampled_from([np.int32, np.intp]),
)
def test_sparse_has_the_same_bits_from_the_same_points(
    m: int,
    n: int,
    density: float,
    seed: int,
    how: dict[str, Any],
    is_bounded: bool,
    by: str,
    dtype: Any,
    index: Any,
) -> None:
    rng = np.random.default_rng(seed)
    A = np.where(rng.random((m, n)) < density, rng.normal(size=(m, n)), 0.0)
    pattern = sparsity.as_pattern(A)
    point = as_point(rng.uniform(0.5, 2, n).astype(dtype))
    x = point.array
    bounds = (np.where(rng.random(n) < 0.4, x, -9), np.full(n, 9.0)) if is_bounded else None
    plan = planned(point, how.get("eps"), how.get("method"), how.get("order"), bounds)
    lines = arrays(pattern, index, by != "columns", by == "rows in a table")
    seen = []
    for module, loops in TWINS:
        f, data = Recorder(A), np.zeros(pattern.nnz, dtype)
        reader = ColorReader(lambda i: entry_name(i, x.shape), (m, n), *lines[:2])
        work = module.Work(x, m, False)
        for _ in range(2):  # with the same arrays again
            data[:] = 0
            calls = module.sparse(f, x, plan.h, scheme_of(loops, plan), *lines, work, data, reader)
        assert calls * 2 == len(f.points)
        seen.append((data.tobytes(), [p.tobytes() for p in f.points]))
    assert seen[0] == seen[1]


@settings(max_examples=40)
@given(
    m=st.integers(0, 5),
    n=st.integers(1, 19),
    seed=st.integers(0, 2**32 - 1),
    how=st.sampled_from(HOW),
    dtype=st.sampled_from([np.float64, np.float32]),
)
def test_dense_has_the_same_bits_from_the_same_points(
    m: int, n: int, seed: int, how: dict[str, Any], dtype: Any
) -> None:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(m, n))
    point = as_point(rng.uniform(0.5, 2, n).astype(dtype))
    x = point.array
    plan = planned(point, how.get("eps"), how.get("method"), how.get("order"), None)
    seen = []
    for module, loops in TWINS:
        f, J = Recorder(A), np.zeros((m, n), dtype)
        work = module.Work(x, m, True)
        calls = module.dense(
            f, x, plan.h, scheme_of(loops, plan), np.arange(n + 1), work, J.reshape(-1), point.reader()
        )
        assert calls == len(f.points)
        seen.append((J.tobytes(), [p.tobytes() for p in f.points]))
    assert seen[0] == seen[1]
    loop = differences.jacobian(
        Recorder(A),
        x,
        plan.h,
        scheme_of(differences, plan),
        lambda shape: np.empty(shape + x.shape, dtype),
        point.reader(),
    )
    assert loop.tobytes() == seen[0][0]


def test_arrays_that_do_not_fit_are_refused() -> None:
    pattern = sparsity.banded(4)
    x, plan = np.ones(4), planned(as_point(np.ones(4)), None, None, None, None)
    bounds, members, starts, indices, _, ends, codes, none = arrays(pattern, np.int32)
    table = arrays(pattern, np.int32, in_table=True)[-1]
    data = np.zeros(pattern.nnz)
    scheme, reader = scheme_of(differences, plan), as_point(x).reader()
    right = {
        "bounds": bounds,
        "members": members,
        "starts": starts,
        "indices": indices,
        "by_rows": True,
        "ends": ends,
        "codes": codes,
        "table": none,
        "data": data,
        "h": plan.h,
    }

    def run(**wrong: Any) -> None:
        given: dict[str, Any] = right | wrong
        compressed.sparse(f=lambda x: x, x=x, scheme=scheme, work=compressed.Work(x, 4, False), reader=reader, **given)

    run()
    run(table=table, ends=ends[:1], codes=codes[:0])
    one = np.int32(1)
    for name, value in (
        ("members", members + one),
        ("bounds", bounds + one),
        ("bounds", bounds[:-1]),
        ("starts", starts[:-1]),
        ("starts", np.minimum(starts, starts[-1] - one)),
        ("indices", indices + one),
        ("members", members[::-1].copy()),
        ("ends", ends + 1),
        ("codes", codes[:3]),
        ("table", table[:-1]),
        ("table", table[:, :-1].copy()),
        ("data", data[:-1]),
        ("h", np.ones(3)),
    ):
        with pytest.raises(ValueError, match="do not fit each other"):
            run(**{name: value})
    with pytest.raises(ValueError, match="codes do not fit"):
        run(codes=np.full_like(codes, 99))
    with pytest.raises(ValueError, match="table does not fit"):
        run(table=np.full_like(table, 3))
    work = compressed.Work(x, 4, True)
    for all_columns, J in ((np.arange(5), np.zeros(15)), (np.arange(4), np.zeros(16)), (np.arange(0), np.zeros(16))):
        with pytest.raises(ValueError, match="do not fit each other"):
            compressed.dense(lambda x: x, x, plan.h, scheme, all_columns, work, J, reader)
