"""The compiled loop over colours against the plain one: the same points, the same bits, the same errors."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrad import sparsity
from fastgrad._color_reader import ColorReader
from fastgrad._kernels import compressed, differences, entries
from fastgrad._point import as_point
from fastgrad._reading import entry_name
from fastgrad._stencils.scheme import planned
from fastgrad.reference import compressed as plain_compressed
from fastgrad.reference import differences as plain_differences
from fastgrad.reference import entries as plain_entries
from fastgrad.sparsity import Pattern

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


def arrays(pattern: Pattern, dtype: Any) -> list[Any]:
    return [a.astype(dtype) for a in (*sparsity.color(pattern).grouped_columns, *pattern.csc)]


@settings(max_examples=60)
@given(
    m=st.integers(0, 8),
    n=st.integers(1, 8),
    density=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    how=st.sampled_from(HOW),
    is_bounded=st.booleans(),
    dtype=st.sampled_from([np.float64, np.float32]),
    index=st.sampled_from([np.int32, np.intp]),
)
def test_sparse_has_the_same_bits_from_the_same_points(
    m: int, n: int, density: float, seed: int, how: dict[str, Any], is_bounded: bool, dtype: Any, index: Any
) -> None:
    rng = np.random.default_rng(seed)
    A = np.where(rng.random((m, n)) < density, rng.normal(size=(m, n)), 0.0)
    pattern = sparsity.as_pattern(A)
    point = as_point(rng.uniform(0.5, 2, n).astype(dtype))
    x = point.array
    bounds = (np.where(rng.random(n) < 0.4, x, -9), np.full(n, 9.0)) if is_bounded else None
    plan = planned(point, how.get("eps"), how.get("method"), how.get("order"), bounds)
    lines = arrays(pattern, index)
    targets = rng.permutation(pattern.nnz).astype(index)[: rng.choice([0, pattern.nnz])]
    seen = []
    for module, loops in TWINS:
        f, data = Recorder(A), np.zeros(pattern.nnz, dtype)
        reader = ColorReader(lambda i: entry_name(i, x.shape), (m, n), *lines[:2])
        work = module.Work(x, m, False)
        for _ in range(2):  # with the same arrays again
            data[:] = 0
            calls = module.sparse(f, x, plan.h, scheme_of(loops, plan), *lines, targets, work, data, reader)
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


@settings(max_examples=40)
@given(
    m=st.integers(0, 9),
    n=st.integers(0, 9),
    density=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float64, np.float32]),
    index=st.sampled_from([np.int32, np.intp]),
)
def test_entries(m: int, n: int, density: float, seed: int, dtype: Any, index: Any) -> None:
    rng = np.random.default_rng(seed)
    pattern = sparsity.as_pattern(rng.random((m, n)) < density)
    (starts, indices), (columns, rows) = ([a.astype(index) for a in lines] for lines in (pattern.csr, pattern.csc))
    found, products = [], []
    data, moves = rng.normal(size=pattern.nnz).astype(dtype), rng.normal(size=n)
    for module in (entries, plain_entries):
        targets = np.empty_like(indices)
        module.places(starts, indices, columns[:-1].copy(), targets)
        found.append(targets)
        for places in (targets, targets[:0]):
            change, size = np.empty((2, m))
            module.product(columns, rows, places, data, moves, change, size)
            products.append((change.tobytes(), size.tobytes()))
    assert np.array_equal(found[0], found[1])
    assert products[:2] == products[2:]
    dense = np.zeros((m, n))
    dense[pattern.rows, pattern.cols] = data
    change, size = np.empty((2, m))
    entries.product(columns, rows, found[0], data, moves, change, size)
    np.testing.assert_allclose(change, dense @ moves, atol=1e-6)
    np.testing.assert_allclose(size, abs(dense) @ abs(moves), atol=1e-6)


def test_arrays_that_do_not_fit_are_refused() -> None:
    pattern = sparsity.banded(4)
    x, plan = np.ones(4), planned(as_point(np.ones(4)), None, None, None, None)
    bounds, members, starts, rows = arrays(pattern, np.int32)
    none, data = rows[:0], np.zeros(pattern.nnz)
    scheme, reader = scheme_of(differences, plan), as_point(x).reader()

    def run(bounds: Any, members: Any, starts: Any, rows: Any, targets: Any, data: Any, h: Any = plan.h) -> None:
        compressed.sparse(
            lambda x: x,
            x,
            h,
            scheme,
            bounds,
            members,
            starts,
            rows,
            targets,
            compressed.Work(x, 4, False),
            data,
            reader,
        )

    run(bounds, members, starts, rows, none, data)
    for wrong in (
        (bounds, members + np.int32(1), starts, rows, none, data),
        (bounds + np.int32(1), members, starts, rows, none, data),
        (bounds, members, starts[:-1], rows, none, data),
        (bounds, members, starts, rows + np.int32(1), none, data),
        (bounds, members, starts, rows, rows[:3], data),
        (bounds, members, starts, rows, np.full_like(rows, 99), data),
        (bounds, members, starts, rows, none, data[:-1]),
        (bounds, members, starts, rows, none, data, np.ones(3)),
    ):
        with pytest.raises(ValueError, match="do not fit each other"):
            run(*wrong)
    work = compressed.Work(x, 4, True)
    for ends, J in ((np.arange(5), np.zeros(15)), (np.arange(4), np.zeros(16)), (np.arange(0), np.zeros(16))):
        with pytest.raises(ValueError, match="do not fit each other"):
            compressed.dense(lambda x: x, x, plan.h, scheme, ends, work, J, reader)
    with pytest.raises(ValueError, match="compressed form"):
        entries.places(*pattern.csr, np.full(4, 99, np.int32), np.empty_like(rows))
    for bad in (
        (starts, rows, rows[:2], data),
        (starts, rows + np.int32(9), none, data),
        (starts[:2], rows, none, data),
    ):
        with pytest.raises(ValueError, match="do not fit each other"):
            entries.product(*bad, np.ones(4), np.ones(4), np.ones(4))
