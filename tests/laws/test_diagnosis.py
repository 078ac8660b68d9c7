"""When a diagnosis says nothing: errors drawn at random have no cause, and no numbers are too strange for it."""

from math import prod

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastgrad._diagnosis.diagnosis import diagnose
from fastgrad._diagnosis.evidence import Evidence
from fastgrad._tree import Leaf
from tests.unit.evidence import evidence

SHAPES: list[list[tuple[int, ...]]] = [[(7,)], [(2, 2)], [(4, 5)], [(3, 2, 3)], [(4, 5), (4,)], [(3, 3), (3,), (2, 3)]]


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES), st.integers(0, 4), st.integers(0, 2))
def test_random_errors_are_not_diagnosed(seed: int, shapes: list[tuple[int, ...]], kind: int, how: int) -> None:
    rng = np.random.default_rng(seed)
    n = sum(prod(shape) for shape in shapes)
    g = [
        rng.standard_normal(n),
        rng.choice([-1.0, 1.0], n),
        np.where(rng.random(n) < 0.2, rng.standard_normal(n), 0.0),
        rng.integers(-3, 4, n).astype(float),
        np.exp(3 * rng.standard_normal(n)),
    ][kind]
    i = rng.choice(n, int(rng.integers(1, n + 1)), replace=False)
    errors = 10 ** rng.uniform(-4, 1) * rng.standard_normal(i.size)
    claim = g.copy()
    claim[i] = [claim[i] + errors, claim[i] * (1 + errors), errors][how]
    found = evidence(shapes, claim, g + 1e-11 * rng.standard_normal(n) * (1 + np.abs(g)), rng.standard_normal(n))
    if found.wrong.size:
        diagnosis = diagnose(found)
        assert diagnosis == "" or "make up" in diagnosis


EXTREME = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0, 5e-324, 1e-300, 1e300, -1e308, 1.7e308, np.inf, -np.inf, np.nan])


@given(st.lists(st.tuples(EXTREME, EXTREME, EXTREME), min_size=4, max_size=4))
def test_no_numbers_are_too_strange(rows: list[tuple[float, float, float]]) -> None:
    claimed, measured, x = np.array(rows).T
    leaves = (Leaf("x", (2, 2), 0),)
    for wrong in (np.arange(4), np.array([2]), np.array([0, 3])):
        for bound in (np.nan, 1e-9, np.inf):
            found = Evidence(x, claimed, measured, wrong, np.full(wrong.size, bound), leaves, "d")
            assert isinstance(diagnose(found), str)
    line = Evidence(x, claimed, measured, np.arange(4), np.full(4, 1e-9), (Leaf("x", (4,), 0),), "f")
    assert isinstance(diagnose(line), str)
