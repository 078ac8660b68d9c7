"""The compiled kernels of patterns and colourings against the plain ones: the same numbers, the same errors."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrad._kernels import coloring, ordering, pattern, star
from fastgrad._typing import Array
from fastgrad.reference import coloring as plain_coloring
from fastgrad.reference import ordering as plain_ordering
from fastgrad.reference import pattern as plain_pattern
from fastgrad.reference import star as plain_star

PATTERNS, COLORINGS = (pattern, plain_pattern), (coloring, plain_coloring)
ORDERINGS, STARS = (ordering, plain_ordering), (star, plain_star)
PATTERN = pytest.mark.parametrize("twin", PATTERNS, ids=["compiled", "plain"])
COLORING = pytest.mark.parametrize("twin", COLORINGS, ids=["compiled", "plain"])
STAR = pytest.mark.parametrize("twin", STARS, ids=["compiled", "plain"])

drawn = given(
    m=st.integers(0, 14),
    n=st.integers(0, 14),
    density=st.floats(0, 1),
    dtype=st.sampled_from([np.int32, np.intp]),
    seed=st.integers(0, 2**32 - 1),
)


def lines(dense: Array, dtype: Any) -> tuple[Array, Array]:
    """Return compressed rows."""
    return np.concatenate([[0], np.cumsum(dense.sum(axis=1))]).astype(dtype), np.nonzero(dense)[1].astype(dtype)


def both(call: Any, twins: tuple[ModuleType, ModuleType]) -> None:
    ours, theirs = call(twins[0]), call(twins[1])
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=60, deadline=None)
@drawn
def test_columns_are_coloured_alike(m: int, n: int, density: float, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((m, n)) < density
    starts, indices = lines(dense.T, dtype)
    order, taken = rng.permutation(n).astype(dtype)[: rng.integers(0, n + 1)], np.empty(m, np.uint64)
    palette = int(rng.integers(1, 65))

    def first(twin: ModuleType) -> Any:
        colors = np.full(n, -7, np.int32)
        return twin.first_fit(starts, indices, order.copy(), taken, colors), colors

    def following(twin: ModuleType) -> Any:
        colors = np.full(n, -7, np.int32)
        return twin.next_fit(starts, indices, order, taken, palette, colors), colors

    both(first, COLORINGS)
    both(following, COLORINGS)


@pytest.mark.parametrize("columns", [63, 64, 65, 128, 131])
@pytest.mark.parametrize("dtype", [np.int32, np.intp])
def test_colours_beyond_a_word_are_alike(columns: int, dtype: Any) -> None:
    rng = np.random.default_rng(columns)
    dense = rng.random((3, columns)) < 0.4
    dense[0] = True
    starts, indices = lines(dense.T, dtype)

    def first(twin: ModuleType) -> Any:
        colors = np.empty(columns, np.int32)
        queue = np.arange(columns, dtype=dtype)
        return twin.first_fit(starts, indices, queue, np.empty(3, np.uint64), colors), np.sort(colors)

    both(first, COLORINGS)
    assert first(coloring)[0] == columns
    for twin in COLORINGS:
        order, colors = np.arange(columns, dtype=dtype), np.empty(columns, np.int32)
        found = twin.next_fit(starts, indices, order, np.empty(3, np.uint64), 2, colors)
        assert found == min(columns, 65)


@settings(max_examples=100, deadline=None)
@given(
    m=st.integers(0, 14),
    n=st.integers(1, 80),
    density=st.floats(0, 0.2),
    period=st.integers(1, 64),
    width=st.integers(0, 4),
    dtype=st.sampled_from([np.int32, np.intp]),
    seed=st.integers(0, 2**32 - 1),
)
def test_periods_are_alike(m: int, n: int, density: float, period: int, width: int, dtype: Any, seed: int) -> None:
    near = abs(np.arange(n) - 3 * np.arange(m)[:, np.newaxis]) < width
    dense = near | (np.random.default_rng(seed).random((m, n)) < density)
    found = []
    for twin in COLORINGS:
        colors = np.empty(n, np.int32)
        found.append((twin.by_period(*lines(dense, dtype), period, colors), colors.tolist()))
    is_distinct = all(len(set(row % period)) == len(row) for row in map(np.flatnonzero, dense))
    assert found[0][0] is found[1][0] is is_distinct
    if is_distinct:
        expected = np.where(dense.any(axis=0), np.arange(n) % period, -1).tolist()
        assert found[0][1] == found[1][1] == expected


@settings(max_examples=60, deadline=None)
@drawn
def test_groups_and_transposes_are_alike(m: int, n: int, density: float, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((m, n)) < density
    starts, indices = lines(dense, dtype)
    n_colors = int(rng.choice([1, 4, 16, 17, 40]))
    colors = rng.integers(-1, n_colors, int(rng.choice([n, 700]))).astype(np.int32)

    def group(twin: ModuleType) -> Any:
        to, members = np.empty(n_colors + 1, dtype), np.empty(np.count_nonzero(colors >= 0), dtype)
        twin.group(colors, to, members)
        return to, members

    def transpose(twin: ModuleType) -> Any:
        to, turned = np.empty(n + 1, dtype), np.empty(len(indices), dtype)
        twin.transpose(starts, indices, to, turned)
        return to, turned

    def count(twin: ModuleType) -> Any:
        counts = np.empty(n, dtype)
        twin.count(indices, counts)
        return (counts,)

    both(group, COLORINGS)
    both(transpose, PATTERNS)
    both(count, PATTERNS)
    np.testing.assert_array_equal(count(pattern)[0], dense.sum(axis=0))
    for a, b in zip(transpose(pattern), lines(dense.T, dtype), strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=100, deadline=None)
@given(
    starts=st.lists(st.integers(-1, 6), min_size=1, max_size=5),
    indices=st.lists(st.integers(-1, 4), max_size=6),
    width=st.integers(0, 4),
    dtype=st.sampled_from([np.int32, np.intp]),
)
def test_faults_are_found_alike(starts: list[int], indices: list[int], width: int, dtype: Any) -> None:
    compressed = np.array(starts, dtype), np.array(indices, dtype)

    both(lambda twin: (twin.first_fault(*compressed, width),), PATTERNS)


@settings(max_examples=200, deadline=None)
@given(
    n=st.integers(0, 9),
    density=st.floats(0, 1),
    changes=st.integers(0, 2),
    dtype=st.sampled_from([np.int32, np.intp]),
    seed=st.integers(0, 2**32 - 1),
)
def test_symmetry_is_seen_alike(n: int, density: float, changes: int, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((n, n)) < density / 2
    dense |= dense.T
    for _ in range(min(changes, n)):
        dense[*rng.integers(n, size=2)] ^= True
    for twin in PATTERNS:
        found = twin.is_symmetric(*lines(dense, dtype), np.empty(n, dtype))
        assert found is bool((dense == dense.T).all())


@settings(max_examples=60, deadline=None)
@drawn
def test_orders_are_alike(m: int, n: int, density: float, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((m, n)) < density
    graph = (*lines(dense.T, dtype), *lines(dense, dtype))
    entering = rng.permutation(n).astype(dtype)
    shared = dense.T.astype(int) @ dense.astype(int) > 0
    np.fill_diagonal(shared, False)

    def degrees(twin: ModuleType) -> Any:
        out = np.empty(n, dtype)
        twin.degrees(*graph, np.empty(n, dtype), out)
        return (out,)

    def by_key(twin: ModuleType, change: int) -> Any:
        keys, out = degrees(ordering)[0] if change < 0 else np.zeros(n, dtype), np.empty(n, dtype)
        twin.by_key(*graph, keys.copy(), entering, change, np.empty((4, n), dtype), out)
        return (out,)

    both(degrees, ORDERINGS)
    np.testing.assert_array_equal(degrees(ordering)[0], shared.sum(axis=0))
    for change in (-1, 1):
        both(lambda twin, change=change: by_key(twin, change), ORDERINGS)
        np.testing.assert_array_equal(np.sort(by_key(ordering, change)[0]), np.arange(n))


def star_of(twin: ModuleType, dense: Array, order: Array, dtype: Any) -> tuple[int, Array]:
    starts, indices = lines(dense, dtype)
    n, nnz = len(dense), len(indices)
    colors = np.full(n, -1, np.int32)
    room = np.empty(nnz, dtype), np.zeros(nnz, np.uint8), np.empty((3, n), dtype)
    return twin.star(starts, indices, order.astype(dtype), *room, colors), colors


@settings(max_examples=100, deadline=None)
@given(
    n=st.integers(0, 14),
    density=st.floats(0, 0.7),
    dtype=st.sampled_from([np.int32, np.intp]),
    seed=st.integers(0, 2**32 - 1),
)
def test_stars_are_alike(n: int, density: float, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((n, n)) < density / 2
    dense |= dense.T
    order = rng.permutation(n)
    both(lambda twin: star_of(twin, dense, order, dtype), STARS)


@STAR
def test_a_pattern_that_is_not_symmetric_has_no_star(twin: ModuleType) -> None:
    for dense in (np.array([[0, 1], [0, 0]], bool), np.array([[0, 1, 1], [1, 0, 0], [0, 1, 0]], bool)):
        with pytest.raises(ValueError, match="not symmetric"):
            star_of(twin, dense, np.arange(len(dense)), np.int32)


@COLORING
def test_colourings_refuse_what_does_not_fit(twin: ModuleType) -> None:
    starts, indices, order = (np.array(a, np.int32) for a in ([0, 1, 2], [0, 1], [0, 1]))
    taken, colors = np.empty(2, np.uint64), np.empty(2, np.int32)
    for wrong in (
        (starts, indices, order, taken, colors[:1]),
        (starts, indices, order, taken[:1], colors),
        (starts, indices, order + 1, taken, colors),
        (starts, indices - 1, order, taken, colors),
    ):
        with pytest.raises(ValueError, match=r"fit|outside"):
            twin.first_fit(wrong[0], wrong[1], wrong[2].copy(), *wrong[3:])
        with pytest.raises(ValueError, match=r"fit|outside"):
            twin.next_fit(*wrong[:4], 3, wrong[4])
    for palette in (0, 65):
        with pytest.raises(ValueError, match="palette"):
            twin.next_fit(starts, indices, order, taken, palette, colors)
        with pytest.raises(ValueError, match="period"):
            twin.by_period(starts, indices, palette, colors)
    with pytest.raises(ValueError, match="outside"):
        twin.by_period(starts, indices + 1, 3, colors)
    with pytest.raises(ValueError, match="fit"):
        twin.group(np.array([0, 2], np.int32), np.empty(2, np.int32), np.empty(2, np.int32))
    with pytest.raises(ValueError, match="fit"):
        twin.group(np.array([0, 0], np.int32), np.empty(2, np.int32), np.empty(1, np.int32))


@PATTERN
def test_transposing_refuses_what_is_no_pattern(twin: ModuleType) -> None:
    to, turned = np.empty(3, np.int32), np.empty(2, np.int32)
    for starts, indices in (([0, 1], [0, 1]), ([0, 2], [0, 2]), ([0, 2], [-1, 0]), ([0, 2, 1, 2], [0, 1])):
        with pytest.raises(ValueError, match="compressed form"):
            twin.transpose(np.array(starts, np.int32), np.array(indices, np.int32), to, turned)
    for starts, indices in (([0, 1, 2], [0, 2]), ([0, 1, 2], [-1, 0]), ([0, 2, 1], [0, 1])):
        with pytest.raises(ValueError, match="compressed form"):
            twin.is_symmetric(np.array(starts, np.int32), np.array(indices, np.int32), np.empty(2, np.int32))
    with pytest.raises(ValueError, match="fit"):
        twin.is_symmetric(np.array([0, 1], np.int32), np.array([0], np.int32), np.empty(2, np.int32))
    with pytest.raises(ValueError, match="outside"):
        twin.count(np.array([0, 2], np.int32), np.empty(2, np.int32))


@pytest.mark.parametrize("twin", ORDERINGS, ids=["compiled", "plain"])
def test_orders_refuse_what_does_not_fit(twin: ModuleType) -> None:
    graph = (*lines(np.eye(3, dtype=bool), np.int32),) * 2
    line, work = np.arange(3, dtype=np.int32), np.empty((4, 3), np.int32)
    for keys, entering, change in ((line + 1, line, 1), (line, line * 0, 1), (line, line, 2), (line[:2], line, 1)):
        with pytest.raises(ValueError, match=r"fit|range|by 1"):
            twin.by_key(*graph, keys.copy(), entering, change, work, np.empty(3, np.int32))
    with pytest.raises(ValueError, match="outside"):
        twin.degrees(graph[0], graph[1] + 1, *graph[2:], line.copy(), line.copy())
