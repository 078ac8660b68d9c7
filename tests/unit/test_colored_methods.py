"""Sparse derivatives by every method, with error bars, from stacks and with workers: the dense ones' numbers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import fastgrad as fg
from fastgrad import sparsity
from tests.unit.neighbours import Counted, broyden, exact, gradient

N = 12
X = np.linspace(0.2, 1.3, N)
BAND = sparsity.banded(N)
WHERE = BAND.toarray()
HOW: list[dict[str, Any]] = [
    {},
    {"order": 4},
    {"method": "forward"},
    {"eps": "noise"},
    {"bounds": (np.where(np.arange(N) % 2, X, -9.0), 9.0)},
]


def stacked(stack: Any) -> Any:
    return np.stack([broyden(x) for x in stack])


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("how", HOW, ids=str)
def test_workers_and_stacks_change_no_bit(form: Any, how: dict[str, Any]) -> None:
    J = fg.numerical_jacobian(broyden, X, sparsity=BAND, format=form, **how)
    for f, extra in ((broyden, {"workers": map}), (stacked, {"vectorized": True})):
        found = fg.numerical_jacobian(f, X, sparsity=BAND, format=form, **how, **extra)
        assert found.format == form
        assert np.array_equal(found.toarray(), J.toarray())


def test_processes_and_threads_change_no_bit_either() -> None:
    J = fg.numerical_jacobian(broyden, X, sparsity=BAND).toarray()
    with ThreadPoolExecutor(3) as pool:
        assert np.array_equal(fg.numerical_jacobian(broyden, X, sparsity=BAND, workers=pool).toarray(), J)
    assert np.array_equal(fg.numerical_jacobian(lambda x: broyden(x), X, sparsity=BAND, workers=2).toarray(), J)


def test_a_native_function_is_measured_on_threads() -> None:
    from fastgrad import cython_api

    f = fg.native.vector_function(cython_api.__pyx_capi__["broyden"], N)
    alone = fg.numerical_jacobian(f, X, sparsity=BAND)
    assert np.array_equal(fg.numerical_jacobian(f, X, sparsity=BAND, workers=2).toarray(), alone.toarray())
    for claim in (alone, 2 * alone, alone.toarray(), 2 * alone.toarray()):
        assert str(fg.jacobian_check(f, claim, X, workers=2)) == str(fg.jacobian_check(f, claim, X))
    g = fg.native.function(cython_api.__pyx_capi__["rosenbrock"])
    claim = fg.numerical_gradient(g, X)
    for claimed in (claim, 2 * claim):
        assert str(fg.gradient_check(g, claimed, X, workers=2)) == str(fg.gradient_check(g, claimed, X))


def test_an_exception_of_a_worker_arrives_with_its_note() -> None:
    def f(x: Any) -> Any:
        if x[4] > X[4]:
            raise LookupError("no such place")
        return broyden(x)

    with pytest.raises(LookupError) as caught:
        fg.numerical_jacobian(f, X, sparsity=BAND, workers=map)
    assert caught.value.__notes__ == [
        "fastgrad: f raised this when called at x[1], x[4], x[7] and 1 more plus their steps."
    ]


@pytest.mark.parametrize("how", HOW, ids=str)
@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_details_are_those_of_the_dense_jacobian(form: Any, how: dict[str, Any]) -> None:
    dense = fg.numerical_jacobian(broyden, X, details=True, **how)
    f = Counted(broyden)
    found = fg.numerical_jacobian(f, X, sparsity=BAND, format=form, details=True, **how)
    for name in ("value", "error", "step"):
        line = getattr(found, name)
        assert line.format == form
        assert line.nnz == BAND.nnz
        assert np.array_equal(line.toarray()[WHERE], getattr(dense, name)[WHERE])
    for name, mask in found.flags.items():
        assert np.array_equal(mask.toarray()[WHERE], dense.flags[name][WHERE])
    assert np.all(abs(found.value.toarray() - exact(X)) <= found.error.toarray())
    assert found.calls.shape == X.shape
    assert found.calls.sum() == f.calls
    for g, extra in ((broyden, {"workers": map}), (stacked, {"vectorized": True})):
        again = fg.numerical_jacobian(g, X, sparsity=BAND, format=form, details=True, **how, **extra)
        assert np.array_equal(again.error.toarray(), found.error.toarray())


def test_a_kink_and_an_entry_that_stands_still_are_seen() -> None:
    def f(x: Any) -> Any:
        return np.abs(x) + np.where(np.arange(4) == 3, 0.0 * x, 0.0)

    x = np.array([0.0, 1.0, 1e-7, 2.0])
    pattern = sparsity.banded(4, 0, 1)
    found, dense = (fg.numerical_jacobian(f, x, details=True, sparsity=given) for given in (pattern, None))
    where = pattern.toarray()
    assert found.flags["kink"].toarray()[0, 0]
    for name in ("value", "error"):
        assert np.array_equal(getattr(found, name).toarray()[where], getattr(dense, name)[where])


def test_the_adaptive_method_shares_its_steps_among_the_columns_of_a_colour() -> None:
    x = np.linspace(0.2, 1.9, 300)
    f = Counted(broyden)
    found = fg.numerical_jacobian(f, x, sparsity=sparsity.banded(300), method="adaptive", details=True)
    assert f.calls == found.calls.sum() < 500
    error = abs(found.value.toarray() - exact(x))
    assert error.max() < 1e-12
    assert np.mean(error > found.error.toarray()) < 0.01
    bounded = Counted(broyden)
    inside = fg.numerical_jacobian(
        bounded, X, sparsity=BAND, method="adaptive", bounds=(X, 9.0), details=True, format="csc"
    )
    np.testing.assert_allclose(inside.value.toarray(), exact(X), atol=1e-9)


def test_the_complex_step_takes_one_call_a_colour() -> None:
    f = Counted(broyden)
    J = fg.numerical_jacobian(f, X, sparsity=BAND, method="complex", verify=False)
    assert f.calls == 3 + 4  # and four on the real line, to see whether f is analytic
    np.testing.assert_allclose(J.toarray(), exact(X), rtol=1e-15, atol=1e-15)
    for g, extra in ((broyden, {"workers": map}), (stacked, {"vectorized": True})):
        found = fg.numerical_jacobian(g, X, sparsity=BAND, method="complex", format="csc", **extra)
        assert np.array_equal(found.toarray(), J.toarray())
    found = fg.numerical_jacobian(broyden, X, sparsity=BAND, method="complex", details=True)
    assert np.all(abs(found.value.toarray() - exact(X)) <= found.error.toarray())
    assert found.error.toarray().max() < 1e-14
    tree = {"a": X[:5].copy(), "b": X[5:].copy()}
    of_tree = fg.numerical_jacobian(
        lambda t: broyden(np.concatenate([t["a"], t["b"]])), tree, sparsity=BAND, method="complex"
    )
    assert np.array_equal(of_tree.toarray(), J.toarray())


@pytest.mark.parametrize("f", [lambda x: np.abs(x) * x, lambda x: np.real(x) ** 2, lambda x: np.floor(x) + x])
def test_the_complex_step_refuses_what_is_not_analytic(f: Any) -> None:
    with pytest.raises(fg.AnalyticityError):
        fg.numerical_jacobian(f, X, sparsity=sparsity.banded(N, 0), method="complex")


def test_forgotten_entries_are_refused_by_every_method() -> None:
    for how in ({"workers": map}, {"details": True}, {"method": "adaptive"}, {"method": "complex"}):
        with pytest.raises(fg.PatternError, match="sparsity lacks"):
            fg.numerical_jacobian(broyden, X, sparsity=sparsity.banded(N, 0), **how)


def test_out_is_filled_and_what_does_not_go_together_is_refused() -> None:
    J = fg.numerical_jacobian(broyden, X, sparsity=BAND)
    J.data[:] = 0.0
    assert fg.numerical_jacobian(broyden, X, sparsity=BAND, workers=map, out=J) is J
    np.testing.assert_allclose(J.toarray(), exact(X), atol=1e-8)
    with pytest.raises(TypeError, match="leave vjp out"):
        fg.numerical_jacobian(broyden, X, sparsity=BAND, details=True, vjp=lambda x, u: u)
    with pytest.raises(TypeError, match="leave eps and order out"):
        fg.numerical_jacobian(broyden, X, 1e-5, sparsity=BAND, method="complex")
    with pytest.raises(TypeError, match="at real x"):
        fg.numerical_jacobian(broyden, X + 1j, sparsity=BAND)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_hessians_take_workers_stacks_and_error_bars(form: Any) -> None:
    H = fg.numerical_hessian(None, X, grad=gradient, sparsity=BAND, format=form)
    many = lambda s: np.stack([gradient(x) for x in s])  # noqa: E731
    for g, extra in ((gradient, {"workers": map}), (many, {"vectorized": True})):
        found = fg.numerical_hessian(None, X, grad=g, sparsity=BAND, format=form, **extra)
        assert found.format == form
        assert np.array_equal(found.toarray(), H.toarray())
    counted = Counted(gradient)
    details = fg.numerical_hessian(None, X, grad=counted, sparsity=BAND, format=form, details=True)
    assert np.array_equal(details.value.toarray(), H.toarray())
    assert details.calls.sum() == counted.calls
    diagonal, beside = 3 * X**2, 2 * X[:-1] * X[1:]
    diagonal[1:] += X[:-1] ** 2
    diagonal[:-1] += X[1:] ** 2
    truth = sparse.diags_array([beside, diagonal, beside], offsets=[-1, 0, 1]).toarray()
    assert np.all(abs(details.value.toarray() - truth) <= details.error.toarray())
    assert details.error.toarray().max() < 1e-7


PRODUCTS: list[Any] = [
    lambda **how: fg.directional_derivative(lambda x: x**3, X, np.cos(X), **how),
    lambda **how: fg.directional_derivative(lambda x: np.sum(x**3), X, np.cos(X), order=4, **how),
    lambda **how: fg.directional_derivative(lambda x: x**3, X, np.cos(X), details=True, **how).error,
    lambda **how: fg.numerical_vjp(broyden, X, np.cos(X), **how),
    lambda **how: fg.numerical_vjp(broyden, X, np.cos(X), sparsity=BAND, **how),
    lambda **how: fg.hessian_vector_product(None, X, np.cos(X), grad=gradient, **how),
    lambda **how: fg.hessian_vector_product(lambda x: np.sum(x**3) * x[0], X, np.cos(X), **how),
    lambda **how: fg.derivative(np.sin, X, 2, **how),
    lambda **how: fg.derivative(np.sin, X, details=True, bounds=(X, X + 1), **how).error,
]


@pytest.mark.parametrize("product", PRODUCTS)
def test_products_and_derivatives_of_one_variable_take_workers(product: Any) -> None:
    alone = product()
    with ThreadPoolExecutor(2) as pool:
        for workers in (map, pool, 2):
            assert np.array_equal(product(workers=workers), alone)


def test_what_f_returns_may_be_one_and_the_same_array() -> None:
    y = np.empty(N)

    def f(x: Any) -> Any:
        y[:] = broyden(x)
        return y

    J = fg.numerical_jacobian(broyden, X, sparsity=BAND).toarray()
    assert np.array_equal(fg.numerical_jacobian(f, X, sparsity=BAND, workers=map).toarray(), J)
    H = fg.numerical_hessian(None, X, grad=broyden)
    assert np.array_equal(fg.numerical_hessian(None, X, grad=f, workers=map), H)


def test_the_adaptive_method_along_a_line_takes_none() -> None:
    with pytest.raises(TypeError, match="one point after another"):
        fg.directional_derivative(lambda x: x @ x, X, X, method="adaptive", workers=map)


@pytest.mark.parametrize("options", [{"workers": 2}, {"vectorized": True}], ids=str)
def test_layers_are_not_checked_elsewhere(options: dict[str, Any]) -> None:
    """Copies of a layer in other processes do not know which of their arrays was moved here."""
    with pytest.raises(TypeError, match="one point after another"):
        fg.layer_check(fg.LinearLayer(4, 3, rng=0), np.ones((2, 4)), **options)
