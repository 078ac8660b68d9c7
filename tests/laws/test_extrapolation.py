"""What extrapolation is made of: the weights of its nodes, and limits that powers of the step lead to."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad._adaptive.extrapolation import Sample, power_law, weights


@pytest.mark.parametrize("m", [0, 1, 2])
@pytest.mark.parametrize("nodes", [(1.0, 0.25, 0.0625), (1.0, 0.5, 0.75, 0.25, 0.625)])
def test_weights_take_each_coefficient_of_a_polynomial(nodes: tuple[float, ...], m: int) -> None:
    w = weights(nodes, m)
    for power in range(len(nodes)):
        total = math.fsum(a * u**power for a, u in zip(w, nodes, strict=True))
        assert total == pytest.approx(float(power == m), abs=1e-11)


@given(limit=st.floats(-5, 5), scale=st.floats(0.1, 5), power=st.floats(0.3, 2.7).filter(lambda r: abs(r - 1) > 0.1))
def test_a_power_law_is_recognised(limit: float, scale: float, power: float) -> None:
    samples = [Sample(h, h * (limit + scale * h**power), 0.0, 1.0) for h in (1.0, 0.5, 0.25, 0.125, 0.0625)]
    found = power_law(samples)
    assert found is not None
    assert found[0] == pytest.approx(limit, abs=1e-9)
    assert found[2] == pytest.approx(power, abs=1e-6)
