"""The binary formats: what is told of one number and of an array of them is the same."""

import math
from typing import Any

import numpy as np
import pytest

from fastgrad._formats import BFLOAT16, HALF, SINGLE, Format
from fastgrad._noise.precision import ShownPrecision
from fastgrad._typing import Float64Array

R = np.random.default_rng(11)
BITS = R.integers(0, 2**64, 4000, np.uint64)
#: The ends of each format, and numbers just beyond.
ENDS = [65504.0, 65519.9, 65520.0, SINGLE.largest, BFLOAT16.largest, *(2.0**-k for k in (24, 25, 133, 134, 149, 150))]
PLAIN = [0.0, -0.0, 1 / 3, 5e-324, 1e308, 3 * 2.0**-150, *np.arange(-300.0, 300.0), *ENDS]


def numbers() -> Float64Array:
    """Return doubles of all magnitudes, numbers of each format, what lies next to them, and the ends of each."""
    single, half = BITS.astype(np.uint32), BITS.astype(np.uint16)
    with np.errstate(invalid="ignore"):
        return np.concatenate(
            [
                BITS.view(np.float64),
                (BITS & np.uint64(0xFFFFFFFFE0000000)).view(np.float64),
                single.view(np.float32).astype(np.float64),
                (single & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64),
                half.view(np.float16).astype(np.float64),
                PLAIN,
                np.nextafter(ENDS, math.inf),
                np.nextafter(ENDS, 0.0),
            ]
        )


NUMBERS = numbers()
FINITE = NUMBERS[np.isfinite(NUMBERS)]


@pytest.mark.parametrize("kind", [BFLOAT16, HALF, SINGLE], ids=lambda kind: kind.name)
def test_one_number_and_many_are_told_alike(kind: Format) -> None:
    one_by_one = [kind.in_last_places(value).is_integer() for value in FINITE.tolist()]
    assert kind.of_all(FINITE).tolist() == one_by_one
    assert 100 < sum(one_by_one) < FINITE.size


def test_infinity_is_of_each_format_and_nan_of_none() -> None:
    for kind in (BFLOAT16, HALF, SINGLE):
        assert kind.of_all(np.array([math.inf, -math.inf, math.nan])).tolist() == [True, True, False]


def test_each_format_is_part_of_the_last() -> None:
    for kind in (BFLOAT16, HALF):
        assert SINGLE.of_all(FINITE[kind.of_all(FINITE)]).all()


def test_numbers_around_a_value_are_as_far_apart_as_the_spacing_says() -> None:
    sizes = np.abs(FINITE[SINGLE.of_all(FINITE) & (np.abs(FINITE) < SINGLE.largest) & (np.abs(FINITE) > 2.0**-126)])
    exact = np.spacing(sizes.astype(np.float32)).astype(np.float64)
    assert [SINGLE.spacing(size) for size in sizes.tolist()] == exact.tolist()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([0.1, 0.2, 0.3, 0.7], np.float16), "half precision"),
        ([0.10009765625 + 2.0**-11, 0.3, 0.7], ""),
        (np.array([0.1, 0.2, 0.3], np.float32), "single precision"),
        ([1.2109375, 1.1796875, 1.3203125], "bfloat16"),
        ([1.0, 2.0, 3.0, 5.0], ""),
    ],
)
def test_the_advice_names_the_format_of_all_values(values: Any, words: str) -> None:
    shown = ShownPrecision()
    for value in values:
        shown.add(float(value))
    assert shown.advice == (f"All values of f are of {words}: compute them in double precision." if words else "")
