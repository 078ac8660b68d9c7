"""`numerical_hessian(sparsity=...)`: symmetric, from two calls of the gradient a colour."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

import fastgrad as fg
from fastgrad import sparsity

N = 14
X = np.linspace(-1.0, 1.5, N)
BAND = sparsity.banded(N)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize(
    "given_as",
    [
        BAND,
        BAND.to_scipy(),
        sparsity.color(BAND, "symmetric"),
        sparsity.color(BAND, "symmetric", order="natural"),
        sparsity.color(BAND),
        "detect",
    ],
    ids=["pattern", "scipy", "star", "natural", "columns", "detect"],
)
def test_it_is_the_hessian_symmetric_bit_for_bit(form: Any, given_as: Any) -> None:
    H = fg.numerical_hessian(None, X, grad=optimize.rosen_der, sparsity=given_as, format=form)
    assert H.format == form
    assert H.nnz == BAND.nnz
    dense = H.toarray()
    assert np.array_equal(dense, dense.T)
    np.testing.assert_allclose(dense, optimize.rosen_hess(X), rtol=1e-9, atol=1e-6)
    again = fg.numerical_hessian(None, 2 * X, grad=optimize.rosen_der, sparsity=given_as, format=form, out=H)
    assert again is H
    np.testing.assert_allclose(H.toarray(), optimize.rosen_hess(2 * X), rtol=1e-9, atol=1e-6)


def test_it_takes_two_calls_a_colour() -> None:
    calls = []

    def grad(x: Any) -> Any:
        calls.append(1)
        return optimize.rosen_der(x)

    coloring = sparsity.color(BAND, "symmetric")
    fg.numerical_hessian(None, X, grad=grad, sparsity=coloring, verify=False)
    assert len(calls) == 2 * coloring.n_colors
    calls.clear()
    fg.numerical_hessian(None, X, grad=grad, sparsity=coloring)
    assert len(calls) == 2 * coloring.n_colors + 2


@settings(max_examples=40)
@given(n=st.integers(0, 9), density=st.floats(0, 1), seed=st.integers(0, 2**32 - 1), is_bounded=st.booleans())
def test_any_symmetric_pattern(n: int, density: float, seed: int, is_bounded: bool) -> None:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((n, n)) < density)
    A = np.where(upper | upper.T, rng.integers(-4, 5, (n, n)), 0).astype(float)
    A = np.triu(A) + np.triu(A, 1).T
    x = rng.uniform(-1, 1, n)
    bounds = (np.where(rng.random(n) < 0.5, x, -9), 9.0) if is_bounded else None
    H = fg.numerical_hessian(None, x, grad=lambda x: A @ x, sparsity=upper | upper.T, bounds=bounds)
    assert np.array_equal(H.toarray(), H.toarray().T)
    np.testing.assert_allclose(H.toarray(), A, atol=1e-8)


def test_an_arrow_takes_two_colours() -> None:
    arrow = np.eye(N, dtype=bool)
    arrow[0] = arrow[:, 0] = True

    def grad(x: Any) -> Any:
        g = np.exp(x) + x[0]
        g[0] = np.exp(x[0]) + x.sum()
        return g

    assert sparsity.color(arrow, "symmetric").n_colors == 2
    H = fg.numerical_hessian(None, X, grad=grad, sparsity=arrow)
    expected = np.diag(np.exp(X))
    expected[0, 1:] = expected[1:, 0] = 1.0
    expected[0, 0] += 1.0
    np.testing.assert_allclose(H.toarray(), expected, atol=1e-7)


def test_trees_and_shapes() -> None:
    tree = {"a": X[:6].reshape(2, 3), "b": X[6:]}

    def grad(t: Any) -> Any:
        g = optimize.rosen_der(np.append(t["a"], t["b"]))
        return {"a": g[:6].reshape(2, 3), "b": g[6:]}

    H = fg.numerical_hessian(None, tree, grad=grad, sparsity=BAND)
    np.testing.assert_allclose(H.toarray(), optimize.rosen_hess(X), rtol=1e-9, atol=1e-6)


def test_what_is_missing_or_does_not_fit_is_told() -> None:
    lacking = BAND.toarray()
    lacking[3, 4] = lacking[4, 3] = False
    with pytest.raises(fg.PatternError, match=r"lacks 2 entries .* entry \(3, 4\)"):
        fg.numerical_hessian(None, X, grad=optimize.rosen_der, sparsity=lacking)
    lopsided = BAND.toarray()
    lopsided[3, 4] = False
    with pytest.raises(ValueError, match="not symmetric"):
        fg.numerical_hessian(None, X, grad=optimize.rosen_der, sparsity=lopsided)
    with pytest.raises(ValueError, match="columns of a symmetric pattern"):
        fg.numerical_hessian(None, X, grad=optimize.rosen_der, sparsity=sparsity.color(BAND, "rows"))
    with pytest.raises(fg.ShapeError, match="a column for each entry"):
        fg.numerical_hessian(None, X[1:], grad=optimize.rosen_der, sparsity=BAND)
    with pytest.raises(TypeError, match="give grad"):
        fg.numerical_hessian(optimize.rosen, X, sparsity=BAND)
    with pytest.raises(TypeError, match="give sparsity too"):
        fg.numerical_hessian(optimize.rosen, X, format="csr")


def test_a_large_one_stays_in_proportion_to_its_entries() -> None:
    n = 20_000
    x = np.linspace(-1.0, 1.5, n)
    H = fg.numerical_hessian(None, x, grad=optimize.rosen_der, sparsity=sparsity.banded(n))
    assert H.nnz == 3 * n - 2
    i = n // 2
    near = optimize.rosen_hess(x[i - 3 : i + 4])[3]
    np.testing.assert_allclose(H[[i], :].toarray()[0, i - 3 : i + 4], near, rtol=1e-8, atol=1e-6)
