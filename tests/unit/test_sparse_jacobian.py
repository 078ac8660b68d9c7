"""`numerical_jacobian(sparsity=...)`: the dense Jacobian's numbers, in as many calls as colours take."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import fastgrad as fg
from fastgrad import sparsity
from tests.unit.neighbours import Counted, broyden, exact

N = 12
X = np.linspace(0.2, 1.3, N)
BAND = sparsity.banded(N)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"method": "central", "order": 4},
        {"method": "central", "order": 8},
        {"method": "forward"},
        {"method": "backward", "order": 1},
        {"eps": 1e-4},
        {"eps": "auto"},
        {"eps": np.geomspace(1e-6, 1e-4, N)},
        {"bounds": (np.where(np.arange(N) % 2, X, -9.0), 9.0)},
        {"bounds": (-9.0, np.where(np.arange(N) % 3, X, 9.0)), "order": 4},
        {"bounds": (np.where(np.arange(N) % 2, X, -9), np.where(np.arange(N) % 2, 9, X)), "method": "forward"},
    ],
    ids=str,
)
def test_it_has_the_dense_bits_in_every_form_by_every_stencil(form: Any, how: dict[str, Any]) -> None:
    dense = fg.numerical_jacobian(broyden, X, **how)
    J = fg.numerical_jacobian(broyden, X, sparsity=BAND, format=form, **how)
    assert J.format == form
    assert J.nnz == BAND.nnz
    assert J.shape == (N, N)
    assert isinstance(J, sparse.sparray)
    assert np.array_equal(J.toarray(), np.where(BAND.toarray(), dense, 0.0))
    np.testing.assert_allclose(J.toarray(), exact(X), atol=1e-5 if how.get("order") == 1 else 1e-7)


@pytest.mark.parametrize(("order", "calls"), [(2, 6), (4, 12), (6, 18)])
def test_it_takes_the_stencils_calls_for_each_colour_and_two_for_the_probe(order: int, calls: int) -> None:
    f = Counted(broyden)
    fg.numerical_jacobian(f, X, sparsity=BAND, order=order, verify=False)
    assert f.calls == calls
    f = Counted(broyden)
    fg.numerical_jacobian(f, X, sparsity=BAND, order=order)
    assert f.calls == calls + 2
    f = Counted(broyden)
    fg.numerical_jacobian(f, X, sparsity=BAND, method="forward", order=1, verify=False)
    assert f.calls == 3 + 1


@pytest.mark.parametrize(
    "given",
    [
        BAND,
        BAND.toarray(),
        BAND.to_scipy("csr"),
        BAND.to_scipy("csc"),
        BAND.to_scipy("coo"),
        BAND.to_scipy("lil"),
        sparse.csc_matrix(BAND.to_scipy()),
        sparsity.color(BAND),
        lambda i, j: abs(i - j) <= 1,
        "detect",
    ],
    ids=["pattern", "dense", "csr", "csc", "coo", "lil", "matrix", "coloring", "callable", "detect"],
)
def test_a_pattern_may_come_in_every_form(given: Any) -> None:
    J = fg.numerical_jacobian(broyden, X, sparsity=given)
    assert J.format == (given.format if getattr(given, "format", None) in ("csc", "coo") else "csr")
    np.testing.assert_allclose(J.toarray(), exact(X), atol=1e-8)


@settings(max_examples=40)
@given(
    m=st.integers(0, 9),
    n=st.integers(0, 9),
    density=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
    form=st.sampled_from(["csr", "csc", "coo"]),
    dtype=st.sampled_from([np.float64, np.float32]),
    by_rows=st.booleans(),
)
def test_any_pattern_of_any_shape(
    m: int, n: int, density: float, seed: int, form: Any, dtype: Any, by_rows: bool
) -> None:
    rng = np.random.default_rng(seed)
    pattern = rng.random((m, n)) < density
    A = np.where(pattern, rng.integers(-4, 5, (m, n)), 0).astype(dtype)
    vjp = (lambda x, u: u @ A) if by_rows else None
    J = fg.numerical_jacobian(lambda x: A @ x, np.zeros(n, dtype), sparsity=pattern, format=form, vjp=vjp)
    assert J.shape == (m, n)
    assert J.dtype == dtype
    assert J.nnz == pattern.sum()
    np.testing.assert_allclose(J.toarray(), A, atol=1e-5)
    ready = J.tocoo()
    assert np.array_equal(np.sort(ready.row * n + ready.col), np.flatnonzero(pattern))


def test_x_and_y_may_have_any_shape_or_be_trees() -> None:
    x = X.reshape(3, 4)
    J = fg.numerical_jacobian(lambda x: broyden(x.reshape(-1)).reshape(2, 6), x, sparsity=BAND)
    np.testing.assert_allclose(J.toarray(), exact(X), atol=1e-8)
    tree = {"a": X[:5], "b": X[5:].reshape(7, 1)}
    J = fg.numerical_jacobian(lambda t: broyden(np.append(t["a"], t["b"])), tree, sparsity=BAND)
    np.testing.assert_allclose(J.toarray(), exact(X), atol=1e-8)


def test_a_forgotten_entry_is_named_with_its_row() -> None:
    lacking = BAND.toarray()
    lacking[7, 8] = False
    with pytest.raises(fg.PatternError, match=r"lacks 1 entry .* value 7 depends on x\[8\]: entry \(7, 8\)"):
        fg.numerical_jacobian(broyden, X, sparsity=lacking)
    with pytest.raises(fg.PatternError, match=r"entry \(7, 8\)"):
        fg.numerical_jacobian(broyden, X, sparsity=lacking, bounds=(X, 9.0))
    J = fg.numerical_jacobian(broyden, X, sparsity=lacking, verify=False)
    assert J.nnz == BAND.nnz - 1


def test_the_probe_withstands_an_f_that_writes() -> None:
    def overwrites(x: Any) -> Any:
        y = broyden(x)
        x[:] = 5.0
        return y

    assert np.array_equal(
        fg.numerical_jacobian(overwrites, X, sparsity=BAND).data, fg.numerical_jacobian(broyden, X, sparsity=BAND).data
    )


@pytest.mark.parametrize("width", [255, 256])
def test_rows_may_be_longer_than_a_byte_counts(width: int) -> None:
    A = np.random.default_rng(0).normal(size=(3, width))
    x = np.ones(width)
    J = fg.numerical_jacobian(lambda x: A @ x, x, sparsity=np.ones((3, width)))
    assert np.array_equal(J.toarray(), fg.numerical_jacobian(lambda x: A @ x, x))


def test_what_no_colour_shows_is_zero() -> None:
    colors = np.array([0, 1, -1] * 4, np.int32)
    by_hand = sparsity.Coloring(BAND, "columns", colors, np.full(N, -1, np.int32), "by hand")
    for J in (
        fg.numerical_jacobian(broyden, X, sparsity=by_hand, verify=False),
        fg.plan_jacobian(broyden, X, sparsity=by_hand, verify=False)(X),
    ):
        assert np.array_equal(J.toarray(), fg.numerical_jacobian(broyden, X, sparsity=BAND).toarray() * (colors >= 0))


def test_results_and_patterns_are_apart() -> None:
    given = BAND.to_scipy()
    for pattern in (given, BAND, sparsity.color(BAND)):
        J = fg.numerical_jacobian(broyden, X, sparsity=pattern)
        J.data[:] = 0
        J.eliminate_zeros()
        assert given.nnz == BAND.nnz == 34
        np.testing.assert_allclose(fg.numerical_jacobian(broyden, X, sparsity=pattern).toarray(), exact(X), atol=1e-8)


def test_a_wild_f_is_not_accused() -> None:
    x = np.linspace(0.2, 3.0, 6)
    J = fg.numerical_jacobian(lambda x: np.sin(2e4 * x), x, sparsity=np.eye(6))
    assert J.nnz == 6


def test_rows_are_measured_by_products() -> None:
    arrow = np.eye(N, dtype=bool)
    arrow[0] = arrow[:, 0] = True

    def f(x: Any) -> Any:
        y = x**2 + x[0]
        y[0] = x @ x
        return y

    def vjp(x: Any, u: Any) -> Any:
        full = 2 * x * np.append(0.0, u[1:]) + 2 * u[0] * x
        full[0] += u[1:].sum()
        return full

    calls, products = Counted(f), Counted(vjp)
    J = fg.numerical_jacobian(calls, X, sparsity=arrow, vjp=products, verify=False)
    assert calls.calls <= 4
    assert products.calls <= 2
    assert calls.calls // 2 + products.calls <= 3
    expected = np.diag(2 * X)
    expected[1:, 0] = 1.0
    expected[0] = 2 * X
    np.testing.assert_allclose(J.toarray(), expected, atol=1e-8)
    for form in ("csr", "csc", "coo"):
        calls, products = Counted(f), Counted(vjp)
        rows = sparsity.color(arrow, "rows")
        J = fg.numerical_jacobian(calls, X, sparsity=rows, vjp=products, format=form, verify=False)
        assert (calls.calls, products.calls) == (1, N)  # once for the shape of u
        np.testing.assert_allclose(J.toarray(), expected, atol=1e-12)
    with pytest.raises(ValueError, match="for a vjp, which is not given"):
        fg.numerical_jacobian(f, X, sparsity=rows)
    with pytest.raises(fg.ShapeError, match="what vjp returns must have the shape of x"):
        fg.numerical_jacobian(f, X, sparsity=rows, vjp=lambda x, u: u[:3])


def test_a_result_can_be_filled_again() -> None:
    for form in ("csr", "csc", "coo"):
        J = fg.numerical_jacobian(broyden, X, sparsity=BAND, format=form)
        again = fg.numerical_jacobian(broyden, 2 * X, sparsity=BAND, format=form, out=J)
        assert again is J
        np.testing.assert_allclose(J.toarray(), exact(2 * X), atol=1e-8)
        with pytest.raises(fg.ShapeError, match="exactly its entries"):
            fg.numerical_jacobian(broyden, X, sparsity=np.eye(N), format=form, out=J, verify=False)
        with pytest.raises(TypeError, match="dtype float32"):
            fg.numerical_jacobian(broyden, X.astype(np.float32), sparsity=BAND, format=form, out=J)
    with pytest.raises(TypeError, match="SciPy csr array"):
        fg.numerical_jacobian(broyden, X, sparsity=BAND, out=np.zeros((N, N)))


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_values_at_odd_addresses_or_read_only_are_not_written(form: Any) -> None:
    J = fg.numerical_jacobian(broyden, X, sparsity=BAND, format=form)
    odd = np.frombuffer(bytearray(J.data.nbytes + 1), np.uint8)[1:].view(np.float64)
    still = J.data.copy()
    still.flags.writeable = False
    for data in (odd, still):
        J.data = data
        with pytest.raises(TypeError, match="must be writeable, aligned and C-contiguous"):
            fg.numerical_jacobian(broyden, X, sparsity=BAND, format=form, out=J)


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(fg.ShapeError, match="expected a column for each entry of x"):
        fg.numerical_jacobian(broyden, X[:-1], sparsity=BAND)
    with pytest.raises(fg.ShapeError, match=r"f 5 values at x\[0\].* expected a pattern with a row for each value"):
        fg.numerical_jacobian(lambda x: x[:5], X, sparsity=BAND)
    with pytest.raises(ValueError, match="format must be one of 'csr', 'csc', 'coo'"):
        fg.numerical_jacobian(broyden, X, sparsity=BAND, format="dia")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="or \"detect\"; got 'dense'"):
        fg.numerical_jacobian(broyden, X, sparsity="dense")
    with pytest.raises(TypeError, match="give sparsity too"):
        fg.numerical_jacobian(broyden, X, format="csr")
    with pytest.raises(ValueError, match="for a Hessian"):
        fg.numerical_jacobian(broyden, X, sparsity=sparsity.color(BAND, "symmetric"))
    with pytest.raises(fg.StepError, match=r"x\[0\]"):
        fg.numerical_jacobian(broyden, X, 1e-18, sparsity=BAND)


def test_memory_is_in_proportion_to_the_entries() -> None:
    n = 20_000
    x, band = np.linspace(0.2, 1.3, n), sparsity.banded(n).to_scipy()
    fg.numerical_jacobian(broyden, x, sparsity=band)
    tracemalloc.start()
    J = fg.numerical_jacobian(broyden, x, sparsity=band)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * J.nnz  # 12 of them are the result's, 24 are f's


def test_nan_stays_in_its_rows() -> None:
    x = X.copy()
    x[4] = np.nan
    J = fg.numerical_jacobian(broyden, x, sparsity=BAND, eps=1e-5).toarray()
    touched = np.isnan(J).any(axis=1)
    assert touched[[3, 4, 5]].all()
    assert not touched[[0, 1, 2, *range(6, N)]].any()


def test_noise_picks_its_steps_for_sparse_jacobians_too() -> None:
    J = fg.numerical_jacobian(broyden, X, "noise", sparsity=BAND)
    np.testing.assert_allclose(J.toarray(), exact(X), atol=1e-7)
