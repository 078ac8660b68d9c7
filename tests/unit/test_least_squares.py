"""least_squares_gd does what it says: the texts' figures, its arguments, its result, its warnings."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad.reference.least_squares import least_squares_gd as textbook

Arrays = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


@pytest.fixture
def ten_by_three() -> Arrays:
    np.random.seed(0)
    return np.random.randn(10, 3), np.random.randn(10)


def bytes_of(*arrays: np.ndarray[Any, Any]) -> list[bytes]:
    return [array.tobytes() for array in arrays]


def test_chapter_experiment(ten_by_three: Arrays) -> None:
    A, b = ten_by_three
    x, losses = fg.least_squares_gd(A, b, 0.05, 200)
    best = np.linalg.lstsq(A, b, rcond=None)[0]
    assert f"{losses[-1]:.6f}" == "3.285170" == f"{np.sum((A @ best - b) ** 2):.6f}"
    np.testing.assert_allclose(x, best, rtol=1e-12)
    assert losses.shape == (200,)
    assert losses[0] == pytest.approx(b @ b, rel=1e-15)


def test_mini_project() -> None:
    np.random.seed(42)
    X = np.random.randn(100, 5)
    w_true = np.array([2.0, -1.5, 0.8, 3.0, -0.5])
    y = X @ w_true + 0.5 * np.random.randn(100)
    w, losses = fg.least_squares_gd(X, y, 0.1, 500, reduction="mean")
    closed = np.linalg.solve(X.T @ X, X.T @ y)
    assert f"{np.linalg.norm(w - w_true):.4f}" == "0.0983" == f"{np.linalg.norm(closed - w_true):.4f}"
    assert losses[-1] == pytest.approx(np.mean((X @ closed - y) ** 2), rel=1e-14)


@pytest.mark.parametrize("ridge", [0.0, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_ridge_closed_forms(ten_by_three: Arrays, ridge: float, reduction: Any) -> None:
    A, b = ten_by_three
    rows = 10 if reduction == "mean" else 1
    result = fg.least_squares_gd(A, b, 0.02, 3000, ridge=ridge, reduction=reduction)
    closed = np.linalg.solve(A.T @ A + rows * ridge * np.eye(3), A.T @ b)
    np.testing.assert_allclose(result.x, closed, rtol=1e-12)
    squares = (A @ closed - b) @ (A @ closed - b)
    assert result.loss == pytest.approx(squares / rows + ridge * closed @ closed, rel=1e-14)
    assert result.residual_norm == pytest.approx(np.sqrt(squares), rel=1e-13)
    assert result.gradient_norm < 1e-12


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.05])
def test_rates_that_converge(ten_by_three: Arrays, rate: float) -> None:
    A, b = ten_by_three
    result = fg.least_squares_gd(A, b, rate, 200)
    assert not result.diverged
    assert result.diverged_at is None
    assert np.all(np.diff(result.losses) <= 1e-14)


def test_rate_that_grows_without_overflowing(ten_by_three: Arrays) -> None:
    A, b = ten_by_three
    with pytest.warns(
        fg.DivergenceWarning, match=r"grew from 8\.22\d* to \d.*e\+298 in 200 steps.*0\.2 is too large"
    ) as w:
        result = fg.least_squares_gd(A, b, 0.2, 200)
    assert len(w) == 1
    assert w[0].filename == __file__
    assert result.diverged
    assert result.diverged_at is None
    assert np.isfinite(result.losses).all()


def test_rate_that_overflows(ten_by_three: Arrays) -> None:
    A, b = ten_by_three
    with pytest.warns(fg.DivergenceWarning, match=r"not finite from step \d+ of 400 on") as w:
        result = fg.least_squares_gd(A, b, 0.2, 400)
    assert len(w) == 1
    first = result.diverged_at
    assert first is not None
    assert f"step {first} of 400" in str(w[0].message)
    assert np.isfinite(result.losses[:first]).all()
    assert not np.isfinite(result.losses[first])
    with pytest.warns(fg.DivergenceWarning):
        _, expected = textbook(A, b, 0.2, 400)
    np.testing.assert_allclose(result.losses[:first], expected[:first], rtol=1e-11)
    assert int(np.argmin(np.isfinite(expected))) == first


def test_rate_named_by_the_warning_suits(ten_by_three: Arrays) -> None:
    A, b = ten_by_three
    for reduction in ("sum", "mean"):
        with pytest.warns(fg.DivergenceWarning) as w:
            fg.least_squares_gd(A, b, 5.0, 50, ridge=0.5, reduction=reduction)
        rate = float(str(w[0].message).split("Any rate up to ")[1].split()[0])
        losses = fg.least_squares_gd(A, b, rate, 50, ridge=0.5, reduction=reduction).losses
        assert np.all(np.diff(losses) <= 1e-14 * losses[0])


@pytest.mark.parametrize("verb", [fg.least_squares_gd, textbook])
@pytest.mark.parametrize("size", [1.0, 1.3, 0.07, 271.0, 5e-4])
def test_rate_named_by_the_warning_suits_where_there_is_one_column(verb: Any, size: float) -> None:
    A, b = np.full((5, 1), size), np.arange(5.0)
    with pytest.warns(fg.DivergenceWarning) as w:
        verb(A, b, 1.0 / size**2, 50)
    rate = float(str(w[0].message).split("Any rate up to ")[1].split()[0])
    _, losses = verb(A, b, rate, 400)
    assert losses[-1] == pytest.approx(np.sum((b - 2.0) ** 2), rel=1e-9)


def test_not_finite_data() -> None:
    A, b = np.ones((4, 2)), np.array([1.0, np.nan, 1.0, 1.0])
    with pytest.warns(fg.DivergenceWarning, match="before the first step") as w:
        result = fg.least_squares_gd(A, b, 0.1, 5)
    assert len(w) == 1
    assert result.diverged_at == 0
    assert np.isnan(result.losses).all()
    assert result.losses.shape == (5,)


def test_last_step_alone_overflows() -> None:
    with pytest.warns(fg.DivergenceWarning, match="from step 1 of 1 on"):
        result = fg.least_squares_gd([[1.0]], [1e150], 1e10, 1)
    assert np.isfinite(result.losses).all()
    assert result.loss == np.inf
    assert result.diverged_at == 1


def test_a_start_at_the_optimum_is_no_divergence() -> None:
    rng = np.random.default_rng(5)
    A = rng.standard_normal((30, 4))
    x0 = rng.standard_normal(4)
    for scale in (1e-3, 1.0, 1e6):
        result = fg.least_squares_gd(A * scale, A @ x0 * scale, 1e-3 / scale**2, 50, x0=x0)
        assert not result.diverged


def test_no_steps(ten_by_three: Arrays) -> None:
    A, b = ten_by_three
    x0 = np.array([1.0, -2.0, 0.5])
    result = fg.least_squares_gd(A, b, 0.05, 0, x0=x0, ridge=0.25)
    assert result.losses.shape == (0,)
    np.testing.assert_array_equal(result.x, x0)
    residual = A @ x0 - b
    assert result.loss == pytest.approx(residual @ residual + 0.25 * x0 @ x0, rel=1e-15)
    np.testing.assert_allclose(result.gradient, 2 * A.T @ residual + 0.5 * x0, rtol=1e-14)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_empty_problems(reduction: Any) -> None:
    no_rows = fg.least_squares_gd(np.ones((0, 2)), [], 0.25, 3, x0=[1.0, 2.0], ridge=0.5, reduction=reduction)
    np.testing.assert_allclose(no_rows.losses, [2.5, 2.5 * 0.75**2, 2.5 * 0.75**4], rtol=1e-15)
    no_columns = fg.least_squares_gd(np.ones((2, 0)), [3.0, 1.0], 0.5, 2, reduction=reduction)
    assert no_columns.x.shape == (0,)
    assert list(no_columns.losses) == [5.0, 5.0] if reduction == "mean" else [10.0, 10.0]
    assert fg.least_squares_gd(np.ones((0, 0)), [], 0.5, 2, reduction=reduction).losses.tolist() == [0.0, 0.0]


def test_result_unpacks_and_is_frozen(ten_by_three: Arrays) -> None:
    result = fg.least_squares_gd(*ten_by_three, 0.05, 7)
    x, losses = result
    assert x is result.x
    assert losses is result.losses
    assert result.n_steps == 7
    with pytest.raises(AttributeError):
        result.n_steps = 8  # type: ignore[misc]
    assert result.learning_rate == 0.05
    copied = pickle.loads(pickle.dumps(result))
    assert copied.loss == result.loss
    np.testing.assert_array_equal(copied.losses, losses)


@pytest.mark.parametrize("columns", [3, 9, 16])
def test_any_strides_and_nothing_written(columns: int) -> None:
    rng = np.random.default_rng(1)
    A, b, x0 = rng.standard_normal((21, columns)), rng.standard_normal(21), rng.standard_normal(columns)
    expected = fg.least_squares_gd(A, b, 1e-3, 10, x0=x0)
    wide = np.zeros((42, 2 * columns))
    wide[::2, ::2] = A
    unaligned = np.zeros(A.nbytes + 1, dtype=np.uint8)[1:].view(np.float64).reshape(A.shape)
    unaligned[...] = A
    read_only = A.copy()
    read_only.flags.writeable = False
    swapped = A.astype(A.dtype.newbyteorder())
    for same in (np.asfortranarray(A), wide[::2, ::2], A[::-1, ::-1].copy()[::-1, ::-1], unaligned, read_only, swapped):
        before = bytes_of(same, b, x0)
        result = fg.least_squares_gd(same, b[::-1].copy()[::-1], 1e-3, 10, x0=x0)
        np.testing.assert_array_equal(result.x, expected.x)
        np.testing.assert_array_equal(result.losses, expected.losses)
        assert bytes_of(same, b, x0) == before


def test_lists_integers_and_booleans() -> None:
    x, losses = fg.least_squares_gd([[1, 0], [0, 2]], [3, 4], 0.1, 200)
    assert x.dtype == losses.dtype == np.float64
    np.testing.assert_allclose(x, [3.0, 2.0], rtol=1e-12)
    x, _ = fg.least_squares_gd(np.eye(2, dtype=bool), [True, False], 0.5, 1)
    np.testing.assert_array_equal(x, [1.0, 0.0])


def test_single_precision() -> None:
    rng = np.random.default_rng(2)
    A, b = rng.standard_normal((50, 11)).astype(np.float32), rng.standard_normal(50).astype(np.float32)
    single = fg.least_squares_gd(A, b, 1e-3, 100)
    double = fg.least_squares_gd(A.astype(np.float64), b.astype(np.float64), 1e-3, 100)
    assert single.x.dtype == np.float32
    np.testing.assert_array_equal(single.losses, double.losses)
    np.testing.assert_array_equal(single.x, double.x.astype(np.float32))
    assert fg.least_squares_gd(A, b.astype(np.float64), 1e-3, 1).x.dtype == np.float64
    assert fg.least_squares_gd(A, b, 1e-3, 1, x0=np.zeros(11)).x.dtype == np.float64


def test_start_is_used_and_not_shared() -> None:
    x0 = np.array([1.0, 2.0])
    result = fg.least_squares_gd(np.eye(2), [1.0, 2.0], 0.1, 3, x0=x0)
    assert not np.shares_memory(result.x, x0)
    np.testing.assert_array_equal(result.losses, np.zeros(3))


ONES, THREE = np.ones((3, 2)), np.ones(3)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "sentence"),
    [
        ((THREE, THREE, 0.1, 1), {}, fg.ShapeError, r"A must be a matrix.*\(3,\)"),
        ((ONES, np.ones(2), 0.1, 1), {}, fg.ShapeError, r"b must have shape \(3,\).*got shape \(2,\)"),
        ((ONES, np.ones((3, 1)), 0.1, 1), {}, fg.ShapeError, r"b must have shape \(3,\)"),
        ((ONES, THREE, 0.1, 1), {"x0": THREE}, fg.ShapeError, r"x0 must have shape \(2,\).*got shape \(3,\)"),
        (([[1.0], [1.0, 2.0]], THREE, 0.1, 1), {}, fg.ShapeError, "A must be a regular array"),
        ((ONES * 1j, THREE, 0.1, 1), {}, TypeError, "A has dtype complex128"),
        ((ONES.astype(np.float16), THREE, 0.1, 1), {}, TypeError, "A has dtype float16"),
        ((ONES, THREE.astype(np.longdouble), 0.1, 1), {}, TypeError, "b has dtype"),
        ((ONES, THREE.astype(object), 0.1, 1), {}, TypeError, "b has dtype object"),
        ((np.ma.masked_array(ONES), THREE, 0.1, 1), {}, TypeError, "A is a masked array"),
        (
            (ONES, THREE, 0.0, 1),
            {},
            fg.StepError,
            "learning_rate must be a positive finite real number or .auto.; got 0.0",
        ),
        ((ONES, THREE, -0.1, 1), {}, fg.StepError, "got -0.1"),
        ((ONES, THREE, np.nan, 1), {}, fg.StepError, "got nan"),
        ((ONES, THREE, np.inf, 1), {}, fg.StepError, "got inf"),
        ((ONES, THREE, "0.1", 1), {}, fg.StepError, "got '0.1'"),
        ((ONES, THREE, 0.1j, 1), {}, fg.StepError, "learning_rate"),
        ((ONES, THREE, np.array([0.1]), 1), {}, fg.StepError, "learning_rate"),
        ((ONES, THREE, 0.1, 1.0), {}, TypeError, r"n_steps must be an integer; got 1\.0"),
        ((ONES, THREE, 0.1, -1), {}, ValueError, "n_steps must not be negative; got -1"),
        ((ONES, THREE, 0.1, 1), {"ridge": -1.0}, ValueError, "ridge must be a finite real number that is not negative"),
        ((ONES, THREE, 0.1, 1), {"ridge": None}, ValueError, "ridge must be"),
        ((ONES, THREE, 0.1, 1), {"gtol": -1e-9}, ValueError, "gtol must be a finite real number that is not negative"),
        ((ONES, THREE, 0.1, 1), {"gtol": np.nan}, ValueError, "gtol must be .*got nan"),
        ((ONES, THREE, "best", 1), {}, fg.StepError, 'real number or "auto"; got .best.'),
        ((ONES * np.nan, THREE, "auto", 1), {}, fg.StepError, r"L, .*, is nan: A holds NaN or infinity"),
        ((ONES * 1e200, THREE, "auto", 1), {}, fg.StepError, "is inf: .* Scale A"),
        ((ONES, THREE, 0.1, 1), {"reduction": "max"}, ValueError, "reduction must be.*'max'"),
    ],
)
def test_arguments_that_do_not_fit(arguments: Any, options: Any, error: type[Exception], sentence: str) -> None:
    for verb in (fg.least_squares_gd, textbook):
        with pytest.raises(error, match=sentence):
            verb(*arguments, **options)


def test_one_warning_for_both_twins(ten_by_three: Arrays) -> None:
    texts = []
    for verb in (fg.least_squares_gd, textbook):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            verb(*ten_by_three, 0.2, 400)
        texts.append([(str(w.message), w.category, w.filename) for w in caught])
    assert len(texts[0]) == 1
    assert texts[0] == texts[1]
