"""jacobian_check and hessian_check do what their docstrings say."""

import pickle
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import rosen, rosen_der, rosen_hess

import fastgrad as fg

A = np.random.default_rng(3).normal(size=(5, 4))
X = np.array([0.3, -0.7, 1.1, 0.2])
ROSEN = np.array([-1.2, 1.0, 0.5, -0.3])


def f(x: Any) -> Any:
    return np.tanh(A @ x)


def jacobian(x: Any) -> Any:
    return (1 - np.tanh(A @ x) ** 2)[:, None] * A


@pytest.mark.parametrize("claim", [jacobian, jacobian(X), jacobian(X).tolist(), sparse.csr_array(jacobian(X))])
def test_a_right_jacobian_passes(claim: Any) -> None:
    calls = 0

    def counted(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return f(x)

    check = fg.jacobian_check(counted, claim, X)
    assert check.verdict == "passed"
    assert check.compared == 20
    assert check.calls == calls == 8
    assert str(check).startswith("Jacobian check passed: 20 entries")
    assert pickle.loads(pickle.dumps(check)).what == "Jacobian"


def test_wrong_entries_are_named() -> None:
    J = jacobian(X)
    J[3, 2] += 1e-3
    J[0, 1] *= -1
    check = fg.jacobian_check(f, J, X)
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [1, 14]
    assert check.worst is not None
    assert (check.worst.name, check.worst.index) == ("J[0, 1]", (0, 1))
    assert "J[3, 2]" in str(check)
    np.testing.assert_allclose(check.wrong.measured, jacobian(X).flat[[1, 14]], rtol=1e-7)
    with pytest.raises(fg.GradientMismatch, match="Jacobian check failed: 2 of 20 entries wrong"):
        check.raise_if_failed()


def test_a_claim_that_is_wrong_all_over_takes_few_calls() -> None:
    check = fg.jacobian_check(f, 2 * jacobian(X), X)
    assert len(check.wrong) == 20
    assert check.calls < 100


def test_a_sparse_claim_that_lacks_entries() -> None:
    def g(x: Any) -> Any:
        return np.array([x[0] ** 2, x[1] * x[2], x[2], x[3]])

    J = np.array([[0.6, 0, 0, 0], [0, 1.1, -0.7, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert fg.jacobian_check(g, sparse.csr_matrix(J), X)
    J[1, 2] = 0
    check = fg.jacobian_check(g, sparse.csc_array(J), X)
    assert check.wrong.indices.tolist() == [6]
    assert any("stores nothing at 1 of the wrong entries" in reason for reason in check.reasons)
    explicit = sparse.coo_array(([0.6, 1.1, 0.0, 1, 1], ([0, 1, 1, 2, 3], [0, 1, 2, 2, 3])), shape=(4, 4))
    assert not fg.jacobian_check(g, explicit, X).reasons


def test_shapes_trees_and_scalars() -> None:
    W = np.arange(6.0).reshape(2, 3)
    by_W = np.einsum("ij,k->ijk", np.eye(2), np.ones(3))
    check = fg.jacobian_check(lambda w: w @ np.ones(3), 2 * by_W, W)
    assert check.worst is not None
    assert check.worst.name in {f"J[{i}, {i}, {k}]" for i in range(2) for k in range(3)}
    assert fg.jacobian_check(lambda w: w @ np.ones(3), by_W.reshape(2, 6), W)
    assert fg.jacobian_check(lambda t: t**2, 6.0, 3.0)
    assert fg.jacobian_check(lambda x: float(x @ x), 2 * X, X)
    assert fg.jacobian_check(lambda x: np.ones(3), np.empty((3, 0)), np.empty(0))
    tree = {"a": 3.0, "b": np.array([1.0, 2.0])}
    claim = {"b": np.diag([3.0, 3.0]), "a": np.array([1.0, 2.0])}
    assert fg.jacobian_check(lambda p: p["a"] * p["b"], claim, tree)
    assert fg.jacobian_check(lambda p: p["a"] * p["b"], lambda p: np.array([[1.0, 3, 0], [2, 0, 3]]), tree)
    with pytest.raises(fg.ShapeError, match=r'at \["b"\]; expected \(2, 2\)'):
        fg.jacobian_check(lambda p: p["a"] * p["b"], {"a": np.ones(2), "b": np.ones(2)}, tree)
    with pytest.raises(fg.ShapeError, match=r'they differ at \["b"\]'):
        fg.jacobian_check(lambda p: p["a"] * p["b"], {"a": np.ones(2)}, tree)


def test_what_is_no_claim_is_said() -> None:
    with pytest.raises(fg.ShapeError, match=r"the claimed Jacobian has shape \(4, 5\); expected \(5, 4\)"):
        fg.jacobian_check(f, jacobian(X).T, X)
    with pytest.raises(fg.ShapeError, match=r"the claimed Jacobian has shape \(4, 5\); expected \(5, 4\)"):
        fg.jacobian_check(f, sparse.csr_array(jacobian(X).T), X)
    with pytest.raises(TypeError, match="the claimed Jacobian must hold real numbers; got dtype complex128"):
        fg.jacobian_check(f, jacobian(X) + 1j, X)
    with pytest.raises(TypeError, match="masked"):
        fg.jacobian_check(f, np.ma.masked_array(jacobian(X)), X)
    with pytest.raises(ValueError, match="atol must be a number that is not negative"):
        fg.jacobian_check(f, jacobian(X), X, atol=-1.0)


def test_kinks_noise_and_chance() -> None:
    def relu(x: Any) -> Any:
        return np.maximum(x, 0.0)

    x = np.array([-1.0, 0.0, 1.0])
    assert fg.jacobian_check(relu, np.diag([0.0, 0.0, 1.0]), x)
    check = fg.jacobian_check(relu, np.diag([0.0, 1.0, 1.0]), x)
    assert check
    assert check.kinks.indices.tolist() == [4]
    rng = np.random.default_rng(0)
    check = fg.jacobian_check(lambda x: x + 1e-6 * rng.normal(size=3), np.eye(3), x)
    assert check.verdict != "failed"
    assert any("different values for the same x" in reason for reason in check.reasons)


def test_not_finite_never_passes() -> None:
    J = jacobian(X)
    J[2, 2] = np.nan
    assert fg.jacobian_check(f, J, X).verdict == "failed"
    assert fg.jacobian_check(lambda x: f(x) * np.array([1, 1, 1, 1, np.nan]), jacobian(X), X).verdict == "failed"


def test_the_textbook_rule_does_not_look_again() -> None:
    J = jacobian(X)
    J[0, 0] += 1e-3
    check = fg.jacobian_check(f, J, X, rtol=0)
    assert (check.verdict, check.calls, check.wrong.indices.tolist()) == ("failed", 8, [0])


def test_single_precision_is_judged_as_such() -> None:
    x = X.astype(np.float32)
    check = fg.jacobian_check(lambda x: np.tanh(A.astype(np.float32) @ x), jacobian(X), x)
    assert check
    assert check.atol == 1e-3
    assert fg.jacobian_check(f, jacobian(X).astype(np.float32), X).atol == 1e-3


def test_args_reach_f_and_claim() -> None:
    assert fg.jacobian_check(lambda x, c: c * f(x), lambda x, c: c * jacobian(x), X, args=(3.0,))
    assert fg.hessian_check(lambda x, c: c * rosen(x), lambda x, c: c * rosen_hess(x), ROSEN, kwargs={"c": 2.0})


@pytest.mark.parametrize("options", [{}, {"grad": rosen_der}], ids=["values", "gradient"])
def test_a_right_hessian_passes_and_a_wrong_entry_is_named(options: dict[str, Any]) -> None:
    f = None if options else rosen
    for claim in (rosen_hess, rosen_hess(ROSEN), sparse.csr_array(rosen_hess(ROSEN))):
        check = fg.hessian_check(f, claim, ROSEN, **options)
        assert check.verdict == "passed"
        by_colors = bool(options) and sparse.issparse(claim)
        assert str(check).startswith(f"Hessian check passed: {10 if by_colors else 16} entries")
    H = rosen_hess(ROSEN)
    H[3, 2] += 0.5
    check = fg.hessian_check(f, H, ROSEN, **options)
    assert check.verdict == "failed"
    assert check.worst is not None
    assert check.worst.name == "H[3, 2]"
    assert check.wrong.indices.tolist() == [14]
    assert check.worst.error_bound < 1e-4


def test_the_second_look_at_a_hessian_knows_more_than_the_first() -> None:
    """At values of 10⁵ second differences are good to 1e-4: no claim is accused for it, nor waved through."""
    x = np.tile([-1.2, 1.0], 20)
    assert fg.hessian_check(lambda x: rosen(x) + 1e5, rosen_hess, x)
    H = rosen_hess(x)
    H[1, 5] = H[5, 1] = 1e-4
    check = fg.hessian_check(lambda x: rosen(x) + 1e5, H, x)
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [45, 201]


def test_noise_in_values_makes_a_hessian_inconclusive() -> None:
    rng = np.random.default_rng(5)
    check = fg.hessian_check(lambda x: rosen(x) * (1 + 1e-4 * rng.normal()), rosen_hess, ROSEN)
    assert check.verdict == "inconclusive"


def test_a_gradient_that_is_none_is_told() -> None:
    def no_gradient(x: Any) -> Any:
        return np.array([x[1], 2 * x[0]])

    for claim in ([[0.0, 1.5], [1.5, 0.0]], [[0.0, 1.0], [2.0, 0.0]]):
        check = fg.hessian_check(None, claim, [1.0, 2.0], grad=no_gradient)
        assert not check
        assert "grad is the gradient of no function: its entry 0 by x[1] is 1" in check.reasons[0]


def test_trees_and_numbers_of_hessians() -> None:
    tree = {"a": 3.0, "b": np.array([1.0, 2.0])}
    H = np.array([[0.0, 2, 4], [2, 6, 0], [4, 0, 6]])

    def g(p: Any) -> Any:
        return {"a": np.sum(p["b"] ** 2), "b": 2 * p["a"] * p["b"]}

    assert fg.hessian_check(lambda p: p["a"] * np.sum(p["b"] ** 2), H, tree)
    assert fg.hessian_check(None, H, tree, grad=g)
    assert fg.hessian_check(lambda t: t**3, [[12.0]], 2.0)
    assert fg.hessian_check(lambda x: 0.0, np.empty((0, 0)), np.empty(0))
    assert fg.hessian_check(None, np.empty((0, 0)), np.empty(0), grad=lambda x: x)
    M = np.ones((2, 2))
    assert fg.hessian_check(lambda p: float((p**2).sum()), 2 * np.eye(4).reshape(2, 2, 2, 2), M)


def test_assertions_return_the_check_or_raise_its_report() -> None:
    from fastgrad.testing import assert_hessian, assert_jacobian

    assert assert_jacobian(f, jacobian, X).verdict == "passed"
    assert assert_hessian(rosen, rosen_hess, ROSEN).what == "Hessian"
    with pytest.raises(fg.GradientMismatch, match="Jacobian check failed: 20 of 20 entries wrong"):
        assert_jacobian(f, lambda x: 2 * jacobian(x), X)
    with pytest.raises(fg.GradientMismatch, match="Hessian check failed"):
        assert_hessian(None, lambda x: 2 * rosen_hess(x), ROSEN, grad=rosen_der)
    rng = np.random.default_rng(5)
    with pytest.raises(fg.InconclusiveError, match="Hessian check inconclusive"):
        assert_hessian(lambda x: rosen(x) * (1 + 1e-4 * rng.normal()), rosen_hess, ROSEN)


def test_a_claim_that_is_none_or_transposed_is_told_so() -> None:
    A = np.arange(6.0).reshape(2, 3)
    x = np.ones(3)
    with pytest.raises(TypeError, match="the claimed Jacobian is None: does the function that claims it lack a return"):
        fg.jacobian_check(lambda x: A @ x, lambda x: None, x)
    with pytest.raises(TypeError, match="the claimed Hessian is None"):
        fg.hessian_check(rosen, None, x)
    with pytest.raises(fg.ShapeError, match=r"has shape \(3, 2\); expected \(2, 3\)\. Transposed it would fit\."):
        fg.jacobian_check(lambda x: A @ x, A.T, x)
