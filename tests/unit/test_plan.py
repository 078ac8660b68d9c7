"""`plan_jacobian`: the same numbers as `numerical_jacobian`, over and over, and as `jac=` of SciPy's solvers."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import integrate, optimize, sparse

import fastgrad as fg
from fastgrad import _backend, sparsity
from tests.unit.neighbours import Counted, broyden

N = 10
BAND = sparsity.banded(N)
X = np.linspace(0.2, 1.3, N)


HOW: list[dict[str, Any]] = [
    {},
    {"order": 4},
    {"method": "forward"},
    {"eps": 1e-4},
    {"eps": "auto"},
    {"eps": np.geomspace(1e-6, 1e-4, N)},
    {"bounds": (0.1, 3.0)},
]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_a_plan_has_the_bits_of_numerical_jacobian_at_every_point(how: dict[str, Any]) -> None:
    band, dense = fg.plan_jacobian(broyden, X, sparsity=BAND, **how), fg.plan_jacobian(broyden, X, **how)
    J = band(X)
    for x in (X, X[::-1].copy(), 2 * X):
        expected = fg.numerical_jacobian(broyden, x, **how)
        assert np.array_equal(dense(x), expected)
        assert np.array_equal(dense(x, out=np.empty((N, N))), expected)
        on_pattern = np.where(BAND.toarray(), expected, 0)
        assert np.array_equal(band(x).toarray(), on_pattern)
        assert band(x, out=J) is J
        assert np.array_equal(J.toarray(), on_pattern)


def test_results_are_the_callers_own() -> None:
    plan = fg.plan_jacobian(broyden, X, sparsity=BAND)
    first = plan(X)
    before = first.toarray()
    second = plan(2 * X)
    assert not np.array_equal(second.toarray(), before)
    second.data[:] = 0
    second.eliminate_zeros()
    assert np.array_equal(first.toarray(), before)
    assert np.array_equal(plan(X).toarray(), before)


def test_a_scalar_f_has_its_gradient_and_shapes_are_kept() -> None:
    x = X[:6].reshape(2, 3)
    plan = fg.plan_jacobian(lambda x: (x**3).sum(), x)
    assert plan.shape == (2, 3)
    np.testing.assert_allclose(plan(x), 3 * x**2, atol=1e-8)
    plan = fg.plan_jacobian(lambda x: np.outer(x, x), X[:3])
    assert plan.shape == plan(X[:3]).shape == (3, 3, 3)
    number = fg.plan_jacobian(lambda x: x**2, 2.0)
    assert abs(number(3.0) - 6.0) < 1e-8
    assert isinstance(number(3.0), np.float64)
    tree = fg.plan_jacobian(lambda t: t["a"].sum() * t["b"], {"a": X[:2], "b": 2.0})
    assert tree({"a": X[1:3], "b": 4.0})["a"].shape == (2,)
    single = fg.plan_jacobian(lambda x: x * x, X.astype(np.float32))
    assert single(X.astype(np.float32)).dtype == np.float32
    empty = fg.plan_jacobian(lambda x: np.ones(3), np.empty(0))
    assert empty(np.empty(0)).shape == (3, 0)


def test_it_counts_and_verifies_once() -> None:
    f = Counted(broyden)
    plan = fg.plan_jacobian(f, X, sparsity=BAND)
    assert f.calls == plan.calls == 0
    plan(X)
    assert f.calls == plan.calls == 8
    plan(X)
    assert f.calls == plan.calls == 14
    assert plan.jacobians == 2
    assert plan.coloring.n_colors == 3
    assert repr(plan).startswith("JacobianPlan(10 x 10, Coloring(10 x 10, 28 entries: 3 colours")
    assert repr(fg.plan_jacobian(broyden, X)) == "JacobianPlan(10 x 10, dense)"
    lacking = BAND.toarray()
    lacking[3, 4] = False
    with pytest.raises(fg.PatternError, match=r"entry \(3, 4\)"):
        fg.plan_jacobian(broyden, X, sparsity=lacking)(X)
    fg.plan_jacobian(broyden, X, sparsity=lacking, verify=False)(X)


def test_noise_is_measured_once() -> None:
    f = Counted(broyden)
    plan = fg.plan_jacobian(f, X, "noise", sparsity=BAND, verify=False)
    before = f.calls
    assert before == plan.calls > 0
    np.testing.assert_allclose(plan(X).toarray(), fg.numerical_jacobian(broyden, X), atol=1e-6)
    assert f.calls == before + 6


def test_x_among_other_arguments() -> None:
    def f(t: float, x: Any, scale: float, *, shift: float = 0.0) -> Any:
        return scale * t * (x + shift) ** 2

    plan = fg.plan_jacobian(f, X, argnum=1, args=(2.0, 3.0), kwargs={"shift": 1.0})
    np.testing.assert_allclose(plan(X), np.diag(12 * (X + 1)), atol=1e-7)
    np.testing.assert_allclose(plan(1.0, X, 5.0), np.diag(10 * (X + 1)), atol=1e-7)
    np.testing.assert_allclose(plan(1.0, X, 5.0, shift=0.0), np.diag(10 * X), atol=1e-7)
    plan = fg.plan_jacobian(lambda x, a: a * x, X, args=(2.0,), sparsity=np.eye(N))
    np.testing.assert_allclose(plan(X, 7.0).toarray(), 7 * np.eye(N), atol=1e-8)
    with pytest.raises(ValueError, match="argnum must be 0 to 1"):
        fg.plan_jacobian(f, X, argnum=2, args=(1.0,))
    with pytest.raises(TypeError, match="called with x"):
        plan()


def test_what_does_not_fit_is_told() -> None:
    plan = fg.plan_jacobian(broyden, X)
    with pytest.raises(fg.ShapeError, match=r"the plan is for x of shape \(10,\); got \(9,\)"):
        plan(X[:-1])
    single = fg.plan_jacobian(broyden, X.astype(np.float32))
    with pytest.raises(TypeError, match="dtype float32; got float64"):
        single(X)
    with pytest.raises(fg.ShapeError, match="out must have the shape"):
        plan(X, out=np.empty((3, 3)))
    with pytest.raises(TypeError, match="give sparsity too"):
        fg.plan_jacobian(broyden, X, format="csr")
    with pytest.raises(TypeError, match="callable"):
        fg.plan_jacobian(3, X)  # type: ignore[arg-type]
    with pytest.raises(fg.StepError, match="lost to rounding"):
        fg.plan_jacobian(broyden, X, 1e-7)(X * 1e12)


@pytest.mark.skipif(_backend.NAME == "reference", reason="the reference takes fresh copies")
@pytest.mark.parametrize("is_sparse", [True, False])
def test_a_filled_result_allocates_nothing_that_grows(is_sparse: bool) -> None:
    peaks = []
    for n in (300, 3000) if is_sparse else (40, 400):
        x = np.linspace(0.2, 1.3, n)
        out = np.empty(n)

        def f(x: Any, out: Any = out) -> Any:
            return np.multiply(x, x, out=out)

        plan = fg.plan_jacobian(f, x, sparsity=sparsity.banded(n) if is_sparse else None)
        J = plan(x)
        plan(x, out=J)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        plan(x, out=J)
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
        tracemalloc.stop()
    assert max(peaks) < 40_000
    assert peaks[1] < peaks[0] + (35_000 if is_sparse else 2_000)  # indices are compared a chunk at a time


def test_least_squares_takes_a_plan() -> None:
    rng = np.random.default_rng(0)
    n = 60
    target, x0 = rng.normal(size=n), np.full(n, -1.0)

    def residual(x: Any) -> Any:
        return np.append(broyden(x), 0.1 * (x - target))

    band = sparse.vstack([sparsity.banded(n).to_scipy(), sparse.eye_array(n)])
    own, ours = Counted(residual), Counted(residual)
    plan = fg.plan_jacobian(ours, x0, sparsity=band)
    theirs = optimize.least_squares(own, x0, "3-point", jac_sparsity=band, ftol=1e-14, xtol=1e-14)
    found = optimize.least_squares(ours, x0, plan, ftol=1e-14, xtol=1e-14)
    assert found.success
    np.testing.assert_allclose(found.x, theirs.x, atol=1e-5)
    assert ours.calls <= own.calls
    dense = optimize.least_squares(residual, x0, fg.plan_jacobian(residual, x0), method="lm")
    np.testing.assert_allclose(dense.x, theirs.x, atol=1e-5)
    bounds = (np.full(n, -1.5), np.full(n, -0.2))
    within = fg.plan_jacobian(residual, x0, sparsity=band, bounds=bounds)
    found = optimize.least_squares(residual, x0, within, bounds=bounds)
    theirs = optimize.least_squares(residual, x0, "3-point", jac_sparsity=band, bounds=bounds)
    assert abs(found.cost - theirs.cost) < 1e-6 * theirs.cost


def test_root_takes_a_plan() -> None:
    plan = fg.plan_jacobian(broyden, -np.ones(N))
    found = optimize.root(broyden, -np.ones(N), jac=plan)
    theirs = optimize.root(broyden, -np.ones(N))
    assert found.success
    np.testing.assert_allclose(found.x, theirs.x, atol=1e-8)
    assert found.njev <= plan.jacobians <= found.njev + 1  # it tries the first one for its shape


def test_minimize_takes_a_plan() -> None:
    x0 = np.linspace(-1.0, 1.5, 6)
    own = Counted(optimize.rosen)
    theirs = optimize.minimize(own, x0, jac="3-point", method="BFGS")
    plan = fg.plan_jacobian(optimize.rosen, x0)
    found = optimize.minimize(optimize.rosen, x0, jac=plan, method="BFGS")
    assert found.success
    np.testing.assert_allclose(found.x, theirs.x, atol=1e-5)
    assert plan.calls == 1 + 2 * x0.size * found.njev
    assert found.nfev + plan.calls <= 1.1 * own.calls
    shifted = fg.plan_jacobian(lambda x, a: optimize.rosen(x - a), x0, args=(0.0,))
    found = optimize.minimize(lambda x, a: optimize.rosen(x - a), np.full(6, 1.2), args=(0.5,), jac=shifted)
    np.testing.assert_allclose(found.x, 1.5, atol=1e-4)


@pytest.mark.parametrize("method", ["BDF", "Radau"])
def test_solve_ivp_takes_a_plan(method: Any) -> None:
    n = 20
    band = sparsity.banded(n)

    def heat(t: float, y: Any) -> Any:
        padded = np.concatenate([[1.0 + np.sin(t)], y, [0.0]])
        return 50.0 * np.diff(padded, 2) - y**3

    y0 = np.zeros(n)
    own, ours = Counted(heat), Counted(heat)
    plan = fg.plan_jacobian(ours, y0, sparsity=band, argnum=1, args=(0.0,), format="csc")
    found = integrate.solve_ivp(ours, (0, 1), y0, method, jac=plan, rtol=1e-6, atol=1e-8)
    theirs = integrate.solve_ivp(own, (0, 1), y0, method, jac_sparsity=band.to_scipy(), rtol=1e-6, atol=1e-8)
    exact = integrate.solve_ivp(heat, (0, 1), y0, method, rtol=1e-9, atol=1e-11).y[:, -1]
    np.testing.assert_allclose(found.y[:, -1], theirs.y[:, -1], atol=1e-5)
    assert abs(found.y[:, -1] - exact).max() < 1e-5
    assert ours.calls <= own.calls + 3 * plan.jacobians + 2  # central differences where SciPy takes one-sided ones
    dense = fg.plan_jacobian(heat, y0, argnum=1, args=(0.0,))
    again = integrate.solve_ivp(heat, (0, 1), y0, method, jac=dense, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(again.y[:, -1], found.y[:, -1], atol=1e-5)
