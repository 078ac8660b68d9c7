"""Which entries are read from which colour, and whether they explain a move of x: both twins say the same."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrad import sparsity
from fastgrad._kernels import entries
from fastgrad.reference import entries as plain_entries
from tests.twins.by_color import chosen


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
    found = []
    for module in (entries, plain_entries):
        targets = np.empty_like(indices)
        module.places(starts, indices, columns[:-1].copy(), targets)
        found.append(targets)
    assert np.array_equal(found[0], found[1])
    colors = rng.integers(-1, 4, n).astype(np.int32)
    for lines, by_rows in (((starts, indices), True), ((columns, rows), False)):
        ends, codes = chosen(entries, lines, by_rows, colors)
        plain_ends, plain_codes = chosen(plain_entries, lines, by_rows, colors)
        assert np.array_equal(ends, plain_ends)
        assert np.array_equal(codes, plain_codes)
        owner = pattern.cols if by_rows else np.repeat(np.arange(n), np.diff(columns))
        for k in range(len(ends) - 1):
            read = plain_entries.decoded(codes[ends[k] : ends[k + 1]])
            assert np.array_equal(read, np.flatnonzero(colors[owner] == k))


@settings(max_examples=60)
@given(
    m=st.integers(0, 9),
    n=st.integers(0, 9),
    density=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    index=st.sampled_from([np.int32, np.intp]),
)
def test_tables_are_alike(m: int, n: int, density: float, seed: int, index: Any) -> None:
    rng = np.random.default_rng(seed)
    pattern = sparsity.as_pattern(rng.random((m, n)) < density)
    lines = [a.astype(index) for a in pattern.csr]
    count = int(rng.integers(1, 30))
    colors = rng.integers(-1, count, n).astype(np.int32)
    tables = np.empty((2, count, m), np.uint8)
    twins = entries, plain_entries
    told = [module.by_row(lines[0], lines[1], colors, table) for module, table in zip(twins, tables, strict=True)]
    of_entry = colors[pattern.cols]
    of_each = [of_entry[(pattern.rows == i) & (of_entry >= 0)] for i in range(m)]
    is_clear = all(len(set(some)) == len(some) for some in of_each)
    assert told == [int(np.sum(of_entry >= 0)) if is_clear else -1] * 2
    if is_clear:
        assert np.array_equal(*tables)
        places = pattern.csr[0][:-1] + tables[0]
        for k in range(count):
            has = tables[0][k] != plain_entries.NONE
            assert places[k][has].tolist() == np.flatnonzero(of_entry == k).tolist()


@pytest.mark.parametrize("module", [entries, plain_entries])
def test_a_table_counts_to_a_byte(module: Any) -> None:
    starts, indices, colors = np.array([0, 256], np.int32), np.arange(256, dtype=np.int32), np.arange(256)
    table = np.empty((256, 1), np.uint8)
    assert module.by_row(starts, indices, colors.astype(np.int32), table) == -1
    assert module.by_row(starts - starts // 256, indices[:255], colors[:255].astype(np.int32), table) == 255
    assert table[:, 0].tolist() == list(range(256))


def test_entries_of_a_color_that_are_far_apart() -> None:
    far = 2 * plain_entries.FAR + 1
    starts, indices = np.array([0, 1, far, 2 * far + 3]), np.zeros(2 * far + 3, np.intp)
    indices[1:] = np.arange(1, len(indices))
    indices[far] = 0
    colors = np.minimum(np.arange(len(indices)), 1).astype(np.int32)
    read = []
    for module in (entries, plain_entries):
        ends, codes = chosen(module, (starts, indices), True, colors)
        read.append((ends.tolist(), codes.tolist()))
    assert read[0] == read[1]
    assert plain_entries.decoded(np.array(read[0][1][: read[0][0][1]])).tolist() == [0, far]


@settings(max_examples=60)
@given(
    m=st.integers(1, 9),
    n=st.integers(1, 9),
    seed=st.integers(0, 2**32 - 1),
    is_off=st.booleans(),
    dtype=st.sampled_from([np.float64, np.float32]),
    index=st.sampled_from([np.int32, np.intp]),
)
def test_unexplained_finds_the_row_that_is_off(m: int, n: int, seed: int, is_off: bool, dtype: Any, index: Any) -> None:
    rng = np.random.default_rng(seed)
    pattern = sparsity.as_pattern(rng.random((m, n)) < 0.5)
    dense = np.where(pattern.toarray(), rng.normal(size=(m, n)), 0.0).astype(dtype)
    moves, before = rng.uniform(0.5, 1, n), rng.normal(size=m)
    after = before + dense.astype(float) @ moves
    size = abs(dense).astype(float) @ abs(moves)
    wrong = int(rng.integers(m))
    after[wrong] += (2e-3 * size[wrong] + 1e-9) * is_off
    for by_rows, lines in ((True, pattern.csr), (False, pattern.csc)):
        order = np.lexsort((pattern.cols, pattern.rows) if by_rows else (pattern.rows, pattern.cols))
        data = dense[pattern.rows, pattern.cols][order]
        given = *(a.astype(index) for a in lines), by_rows, data, moves, after, before, 1e-15, 1e-3
        for module in (entries, plain_entries):
            assert module.unexplained(*given, np.empty((3, 0 if by_rows else m))) == (wrong if is_off else -1)


STARTS, INDICES = (a.astype(np.int32) for a in sparsity.banded(4).csr)
COLORS = np.array([0, 1, 2, 0], np.int32)
ONE = np.int32(1)


def test_places_beyond_the_pattern_are_refused() -> None:
    with pytest.raises(ValueError, match="compressed form"):
        entries.places(STARTS, INDICES, np.full(4, 99, np.int32), np.empty_like(INDICES))


@pytest.mark.parametrize(
    ("starts", "indices", "colors", "by_rows"),
    [
        (STARTS, INDICES + ONE, COLORS, True),
        (STARTS, INDICES, COLORS + ONE, True),
        (STARTS, INDICES, COLORS[:-1], False),
        (STARTS[:-1], INDICES, COLORS, True),
    ],
)
def test_codes_are_written_for_arrays_that_fit_alone(starts: Any, indices: Any, colors: Any, by_rows: bool) -> None:
    ends, codes = chosen(entries, (STARTS, INDICES), True, COLORS)
    with pytest.raises(ValueError, match=r"fit each other|outside its range"):
        entries.by_color(starts, indices, colors, by_rows, np.empty(3, np.int32), ends, codes)


@pytest.mark.parametrize("module", [entries, plain_entries])
@pytest.mark.parametrize(
    ("indices", "colors", "shape"),
    [
        (INDICES + ONE, COLORS, (3, 4)),
        (INDICES, COLORS + ONE, (3, 4)),
        (INDICES, COLORS[:-1], (3, 4)),
        (INDICES, COLORS, (3, 3)),
    ],
)
def test_a_table_is_written_for_arrays_that_fit_alone(module: Any, indices: Any, colors: Any, shape: Any) -> None:
    assert module.by_row(STARTS, INDICES, COLORS, np.empty((3, 4), np.uint8)) == INDICES.size
    with pytest.raises(ValueError, match="outside its range"):
        module.by_row(STARTS, indices, colors, np.empty(shape, np.uint8))


@pytest.mark.parametrize(
    ("starts", "indices", "by_rows", "left_out"),
    [
        (STARTS, INDICES + np.int32(9), True, 0),
        (STARTS[:2], INDICES, True, 0),
        (STARTS, INDICES, True, 1),
        (STARTS, INDICES, False, 0),
    ],
)
def test_what_does_not_fit_explains_nothing(starts: Any, indices: Any, by_rows: bool, left_out: int) -> None:
    ones, data = np.ones(4), np.zeros(INDICES.size)
    with pytest.raises(ValueError, match="do not fit each other"):
        entries.unexplained(starts, indices, by_rows, data[left_out:], ones, ones, ones, 0.0, 0.0, np.empty((3, 0)))
