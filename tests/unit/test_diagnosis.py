"""What the diagnosis says, and when it says nothing. The battery of bugs has a test of its own."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._diagnosis.diagnosis import diagnose
from fastgrad._diagnosis.evidence import Evidence
from fastgrad._tree import Leaf
from tests.unit.evidence import evidence

R = np.random.default_rng(3)


def quadratic(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Return f, x and the gradient of a sum of squares with weights, so that no two entries are alike."""
    x, w = R.standard_normal(shape), R.uniform(0.5, 2.0, shape)
    return (lambda x: float(np.sum(w * x**2))), x, 2 * w * x


def said(claim: Any, f: Any, x: Any, **options: Any) -> str:
    check = fg.gradient_check(f, claim, x, **options)
    assert check.verdict == "failed"
    return check.diagnosis


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (2.0, "claimed = 2 × measured: a factor 2 is too much, or it was accumulated twice, probably"),
        (0.5, "claimed = 0.5 × measured: a factor 2 is missing, probably"),
        (-1.0, "claimed = −measured: the sign is wrong, probably"),
        (-2.0, "claimed = −2 × measured: the sign is wrong, and a factor 2 is too much"),
        (1 / 32, "claimed = 0.03125 × measured: a factor 32 is missing, as of a mean over 32 where f takes the sum"),
        (32.0, "a sum over 32 where f takes the mean"),
        (0.73, "claimed = 0.73 × measured: a constant factor is wrong, probably"),
        (0.0, "claimed = 0: never written, or cut off from the loss, probably"),
    ],
)
def test_a_factor_is_told_with_its_evidence(factor: float, words: str) -> None:
    f, x, g = quadratic((3, 4))
    assert said(factor * g, f, x).startswith("12 of 12 wrong entries, all of x, have ")
    assert words in said(factor * g, f, x)


@pytest.mark.parametrize(("factor", "is_told"), [(-1.0, True), (2.0, True), (0.5, True), (0.0, True), (1.37, False)])
def test_one_entry_shows_a_plain_factor_only(factor: float, is_told: bool) -> None:
    f, x, g = quadratic((3, 4))
    claim = g.copy()
    claim[1, 2] *= factor
    diagnosis = said(claim, f, x)
    assert diagnosis.startswith("1 of 1 wrong entry, x[1, 2], has ") if is_told else diagnosis == ""


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (np.s_[2], "row 2 of x"),
        (np.s_[:, 1], "column 1 of x"),
        (np.s_[[0, 3]], "rows 0 and 3 of x"),
        (np.s_[:, 2:5], "columns 2, 3 and 4 of x"),
        (np.s_[1:3, 0:2], "x[1:3, 0:2]"),
        (np.s_[1, 1:4], "x[1, 1:4]"),
    ],
)
def test_the_region_of_a_wrong_sign_is_named(where: Any, words: str) -> None:
    f, x, g = quadratic((5, 6))
    claim = g.copy()
    claim[where] *= -1
    assert f"wrong entries, {words}, have claimed = −measured" in said(claim, f, x)


def test_regions_of_arrays_with_more_axes_and_of_lines() -> None:
    f, x, g = quadratic((3, 4, 5))
    claim = g.copy()
    claim[:, 2] = 0
    assert "15 of 15 wrong entries, x[:, 2], have claimed = 0" in said(claim, f, x)
    claim = g.copy()
    claim[:, :, 1:4] = 0
    assert "x[:, :, 1:4]" in said(claim, f, x)
    f, x, g = quadratic((40,))
    claim = g.copy()
    claim[10:17] *= -1
    assert "7 of 7 wrong entries, x[10:17], have" in said(claim, f, x)


def test_what_was_not_in_the_region_is_not_claimed_for_it() -> None:
    """Two entries of a row are no row."""
    f, x, g = quadratic((5, 6))
    claim = g.copy()
    claim[2, [1, 4]] *= -1
    diagnosis = said(claim, f, x)
    assert diagnosis.startswith("2 of 2 wrong entries have claimed = −measured")
    assert "row" not in diagnosis


def test_a_row_of_random_errors_is_told_by_its_place() -> None:
    f, x, g = quadratic((8, 6))
    claim = g.copy()
    claim[3] += R.standard_normal(6)
    assert said(claim, f, x) == "the 6 wrong entries make up row 3 of x"


@pytest.mark.parametrize("shape", [(5, 5), (4, 6)])
def test_a_transposed_matrix_is_told_flat_or_not(shape: tuple[int, int]) -> None:
    f, x, g = quadratic(shape)
    assert "transposed" in said(g.T.reshape(shape), f, x)
    diagnosis = said(g.T.reshape(-1), lambda x: f(x.reshape(shape)), x.reshape(-1))
    assert f"read as {shape[::-1]} and transposed" in diagnosis


@pytest.mark.parametrize("step", [1, -1])
def test_a_shift_along_the_line_is_told(step: int) -> None:
    f, x, g = quadratic((4, 6))
    assert "shifted by one when flat" in said(np.roll(g.reshape(-1), step).reshape(4, 6), f, x)
    f, x, g = quadratic((9,))
    sign = "+" if step > 0 else "−"
    assert f"measured[i] = claimed[i{sign}1]: the claim is shifted by one" in said(np.roll(g, step), f, x)


def test_a_bias_that_was_averaged_or_summed_over_the_other_axis() -> None:
    d = R.standard_normal((4, 4)) + 1
    x = R.standard_normal(4)
    f = lambda b: float(np.sum(d * (x + b)))  # noqa: E731
    assert "a factor 4 is missing, as of a mean over 4" in said(d.mean(0), f, x)
    assert "summed over the wrong axis" in said(d.sum(1), f, x)
    assert "one axis too many" in said(np.full(4, d.sum()), f, x)


def test_a_leaf_that_is_wrong_is_named_though_the_others_are_too_small_to_tell() -> None:
    rates = {"large": np.array([1.0, 2.0, -3.0]), "small": np.array([1e-12, -2e-12])}
    f = lambda p: float(sum(np.sum(rates[name] * p[name]) for name in p))  # noqa: E731
    point = {"large": np.ones(3), "small": np.ones(2)}
    assert 'all of x["large"], have claimed = −measured' in said({**rates, "large": -rates["large"]}, f, point)


def test_a_bias_that_was_not_summed_is_a_shape_error_that_says_so() -> None:
    d, b = R.standard_normal((5, 3)), R.standard_normal(3)
    with pytest.raises(fg.ShapeError, match=r"Summed over axis 0 it would fit: is the sum over the samples"):
        fg.gradient_check(lambda b: np.sum(d * b), d, b)
    with pytest.raises(fg.ShapeError, match=r"at x\[\"b\"\].* Summed over axis 1 it would fit"):
        fg.gradient_check(lambda p: np.sum(d * p["b"]), {"b": d.T}, {"b": b})
    with pytest.raises(fg.ShapeError, match=r"flat with 3 entries\.$"):
        fg.gradient_check(lambda b: np.sum(d * b), d[:, :2], b)


def test_totals_that_are_forced_prove_nothing() -> None:
    """The gradient of a log-sum-exp adds up to one, whatever else is wrong with it."""
    x = R.standard_normal(6)
    wrong = np.exp(2 * x) / np.exp(2 * x).sum()
    assert said(wrong, lambda x: float(np.log(np.sum(np.exp(x)))), x) == ""


def test_not_finite_claims_are_told_with_their_place_and_the_rest_beside() -> None:
    f, x, g = quadratic((5, 6))
    claim = -g
    claim[2] = np.nan
    first, second = said(claim, f, x).split("; ")
    assert first == "the claim is NaN at row 2 of x (6 of 30 entries)"
    assert second.startswith("24 of 24 wrong entries, rows 0, 1, 3 and 4 of x, have claimed = −measured")
    claim = g.copy()
    claim[[0, 3], [1, 4]] = np.inf, -np.inf
    assert said(claim, f, x) == "the claim is infinite at x[0, 1] and elsewhere (2 of 30 entries)"
    assert said(np.full_like(g, np.nan), f, x) == "the claim is NaN at all of x (30 of 30 entries)"


def test_leaves_that_are_wrong_in_different_ways_are_told_one_by_one() -> None:
    x = {"a": R.standard_normal((3, 4)), "b": R.standard_normal(5)}
    f = lambda x: float(np.sum(x["a"] ** 3) + np.sum(np.exp(x["b"])))  # noqa: E731
    diagnosis = said({"a": 1.5 * x["a"] ** 2, "b": -np.exp(x["b"])}, f, x)
    assert diagnosis == (
        '12 of 12 wrong entries, all of x["a"], have claimed = 0.5 × measured: a factor 2 is missing, probably; '
        '5 of 5 wrong entries, all of x["b"], have claimed = −measured: the sign is wrong, probably'
    )


@pytest.mark.parametrize("mode", [{"rtol": 0}, {"indices": [0, 3, 4, 7, 9]}, {"eps": 1e-4}])
def test_other_ways_to_measure_are_diagnosed_alike(mode: dict[str, Any]) -> None:
    f, x, g = quadratic((3, 4))
    assert "claimed = 0.5 × measured: a factor 2 is missing" in said(g / 2, f, x, **mode)


def test_float32_is_diagnosed_within_its_precision() -> None:
    x = R.standard_normal((6, 4)).astype(np.float32)
    assert "a factor 2 is missing" in said(x, lambda x: np.sum(x.astype(np.float64) ** 2), x)
    claim = (2 * x)[::-1].astype(np.float32)
    assert "reversed along axis 0" in said(claim, lambda x: np.sum(x.astype(np.float64) ** 2), x)


def test_single_precision_is_told_where_its_rounding_explains_the_errors() -> None:
    A, x = 300 * R.standard_normal((60, 30)), R.standard_normal(30)
    t = A @ x + R.standard_normal(60)
    a, v, b = A.astype(np.float32), x.astype(np.float32), t.astype(np.float32)
    f = lambda x: float(np.sum((A @ x - t) ** 2))  # noqa: E731
    claim = np.asarray(2 * a.T @ (a @ v - b), dtype=np.float64)
    assert said(claim, f, x, eps=1e-4).endswith("consistent with rounding in single precision")
    assert "single" not in said(claim * 1.01, f, x, eps=1e-4)  # digits of double precision
    doubled = np.asarray(4 * a.T @ (a @ v - b), dtype=np.float64)
    assert "single" not in said(doubled, f, x, eps=1e-4)  # digits of single precision, errors that are none of rounding


def test_an_error_that_sticks_out_is_none_of_rounding() -> None:
    g = R.standard_normal(400).astype(np.float32).astype(np.float64)
    claim = g.copy()
    claim[7] = np.float64(np.float32(g[7] + 5e-4))
    found = evidence([(400,)], claim, g + 1e-10 * R.standard_normal(400))
    assert found.wrong.tolist() == [7]
    assert diagnose(found) == ""


def test_bfloat16_is_told() -> None:
    g = R.standard_normal(50)
    claim = (g.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)
    assert diagnose(evidence([(50,)], claim, g)).endswith("consistent with rounding in bfloat16")


def test_unknown_entries_are_not_spoken_of() -> None:
    """Of a sample, entries that were not measured are neither right nor wrong."""
    g = R.standard_normal((6, 5))
    measured = np.full((6, 5), np.nan)
    measured[2, [0, 3]], measured[4, 1] = g[2, [0, 3]], g[4, 1]
    diagnosis = diagnose(evidence([(6, 5)], -g, measured))
    assert diagnosis == "3 of 3 wrong entries have claimed = −measured: the sign is wrong, probably"
    assert "transposed" in diagnose(evidence([(6, 5)], g.T.copy().reshape(6, 5), measured))


def test_a_stale_claim_is_told_where_the_point_before_is_given() -> None:
    f, x, _ = quadratic((3, 4))
    before = x + 0.1 * R.standard_normal((3, 4))
    old = fg.numerical_gradient(f, before)
    plain, told = fg.gradient_check(f, old, x), fg.gradient_check(f, old, x, previous=before)
    assert plain.diagnosis == ""
    assert told.diagnosis.startswith(
        "12 of 12 wrong entries measured there have claimed = the derivative at `previous`"
    )
    assert told.diagnosis.endswith(": the claim is stale, probably")
    assert told.calls == plain.calls + 24
    assert "stale" not in fg.gradient_check(f, old, x, previous=before + 0.1).diagnosis
    assert fg.gradient_check(f, fg.numerical_gradient(f, x), x, previous=before).calls == 24


def test_a_point_before_may_be_a_tree_and_must_have_the_form_of_x() -> None:
    def f(p: Any) -> float:
        return float(np.sum(p["a"] ** 2) * np.sum(p["b"] ** 3))

    x = {"a": R.standard_normal(3), "b": R.standard_normal((2, 2))}
    before = {"b": x["b"] + 0.2, "a": x["a"] - 0.1}
    old = fg.numerical_gradient(f, {"a": before["a"], "b": before["b"]})
    assert "stale" in fg.gradient_check(f, old, x, previous=before).diagnosis
    with pytest.raises(fg.ShapeError, match="previous has shape"):
        fg.gradient_check(f, old, x, previous={"a": np.ones(2), "b": x["b"]})
    with pytest.raises(fg.ShapeError, match=r"previous has shape \(2,\), and x has \(3,\)"):
        fg.gradient_check(np.sum, np.ones(3), np.zeros(3), previous=np.zeros(2))


def test_a_structured_callable_can_be_stale_too() -> None:
    layer = fg.LinearLayer(4, 3, rng=1)
    x, target = R.standard_normal((5, 4)), R.standard_normal((5, 3))
    f = fg.losses.LinearLoss(layer, x, loss=fg.losses.SquaredError(target))
    before = layer.W + 0.3
    old = 2 * (x @ before.T + layer.b - target).T @ x
    assert "stale" in fg.gradient_check(f, old, layer.W, previous=before).diagnosis


def test_a_passed_check_has_no_diagnosis() -> None:
    f, x, g = quadratic((3, 4))
    assert fg.gradient_check(f, g, x).diagnosis == ""


def test_the_sentence_holds_in_a_million_entries() -> None:
    g = R.standard_normal((1000, 1000))
    claim = g.copy()
    claim[:, 17] *= -1
    assert "1000 of 1000 wrong entries, column 17 of x, have" in diagnose(evidence([(1000, 1000)], claim, g))
    assert "wrong entries have measured[i, j] = claimed[j, i]" in diagnose(evidence([(1000, 1000)], g.T.copy(), g))


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (-1.0, "claimed = −measured: the sign is wrong"),
        (2.0, "claimed = 2 × measured: a factor 2 is too much"),
        (-2.0, "claimed = −2 × measured: the sign is wrong, and a factor 2 is too much"),
        (5.0, "claimed = 5 × measured: a sum over 5"),
    ],
)
@pytest.mark.parametrize("x_is_single", [False, True])
def test_a_plain_factor_is_told_of_a_model_in_single_precision(factor: float, words: str, x_is_single: bool) -> None:
    """There the factor that is measured is off by some thousandths, and is no other one for that."""
    x = np.linspace(0.5, 1.5, 5)
    x = x.astype(np.float32) if x_is_single else x
    f = lambda x: np.float32(np.sum(np.sin(x.astype(np.float32)), dtype=np.float32))  # noqa: E731
    assert words in said(factor * np.cos(x), f, x)


def test_measurements_that_say_little_are_no_evidence_for_an_order_or_a_sum() -> None:
    claimed, measured = np.zeros(4), np.full(4, 0.95)
    e = Evidence(np.zeros(4), claimed, measured, np.arange(4), np.full(4, 0.5), (Leaf("x", (4,), 0),), "d")
    assert (
        diagnose(e)
        == "4 of 4 wrong entries, all of x, have claimed = 0: never written, or cut off from the loss, probably"
    )
    e = Evidence(np.zeros(4), claimed + 0.2, measured, np.arange(4), np.full(4, 0.5), (Leaf("x", (4,), 0),), "d")
    assert "over" not in diagnose(e)
