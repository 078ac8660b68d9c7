"""`jacobian_check` and `hessian_check` of sparse claims: the same verdicts as of dense ones, by colours."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import fastgrad as fg
from fastgrad import sparsity
from tests.unit.neighbours import Counted, broyden, gradient

N = 30
X = np.linspace(-1.0, 1.3, N)
BAND = sparsity.banded(N)


def jacobian(x: Any) -> Any:
    ones = np.ones(x.size - 1)
    return sparse.diags_array([-ones, 3 - 4 * x, -2 * ones], offsets=[-1, 0, 1], format="csr")


def hessian(x: Any) -> Any:
    diagonal, beside = 3 * x**2, 2 * x[:-1] * x[1:]
    diagonal[1:] += x[:-1] ** 2
    diagonal[:-1] += x[1:] ** 2
    return sparse.diags_array([beside, diagonal, beside], offsets=[-1, 0, 1], format="csr")


def changed(claim: Any, i: int, j: int, to: float) -> Any:
    lines = claim.tolil()
    lines[i, j] = to
    return lines.tocsr()


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok", "dia", "matrix"])
def test_a_right_claim_of_any_form_passes_in_two_calls_a_colour_and_four_for_the_rest(form: str) -> None:
    claim = sparse.csr_matrix(jacobian(X)) if form == "matrix" else jacobian(X).asformat(form)
    f = Counted(broyden)
    check = fg.jacobian_check(f, claim, X)
    assert (check.verdict, check.mode, check.what, check.compared) == ("passed", "sparse", "Jacobian", 3 * N - 2)
    assert check.calls == f.calls == 2 * 3 + 4
    assert str(check).endswith("mode sparse, 10 calls of f")
    assert fg.jacobian_check(broyden, jacobian, X).passed


def test_a_right_hessian_passes_by_a_star_colouring() -> None:
    grad = Counted(gradient)
    check = fg.hessian_check(None, hessian, X, grad=grad)
    assert (check.verdict, check.mode, check.what) == ("passed", "sparse", "Hessian")
    assert check.calls == grad.calls == 2 * 3 + 4


@pytest.mark.parametrize(("i", "j", "by"), [(7, 7, 1e-3), (7, 6, -0.5), (0, 1, 1e-3), (29, 28, np.nan)])
def test_a_wrong_entry_is_named_exactly(i: int, j: int, by: float) -> None:
    for check in (
        fg.jacobian_check(broyden, changed(jacobian(X), i, j, jacobian(X)[i, j] + by), X),
        fg.hessian_check(None, changed(hessian(X), i, j, hessian(X)[i, j] + by), X, grad=gradient),
    ):
        assert check.verdict == "failed"
        assert check.wrong.indices.tolist() == [i * N + j]
        assert check.worst is not None
        assert (check.worst.name, check.worst.index) == (f"{check.what[0]}[{i}, {j}]", (i, j))


def test_the_measured_value_of_a_wrong_entry_is_that_of_its_column_alone() -> None:
    check = fg.jacobian_check(broyden, changed(jacobian(X), 3, 4, 0.0), X)
    np.testing.assert_allclose(check.wrong.measured, [-2.0], rtol=1e-9)
    assert check.wrong.error_bound[0] < 1e-7


def test_a_forgotten_entry_is_found_wherever_it_is() -> None:
    def f(x: Any) -> Any:
        y = broyden(x)
        y[4] += 0.25 * np.sin(x[21])
        return y

    check = fg.jacobian_check(f, jacobian(X), X)
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [4 * N + 21]
    assert check.worst is not None
    assert check.worst.name == "J[4, 21]"
    np.testing.assert_allclose(check.worst.measured, 0.25 * np.cos(X[21]), rtol=1e-7)
    assert "the sparse claim stores nothing at 1 of the wrong entries" in check.reasons[0]
    assert "claimed = 0" in check.diagnosis


def test_a_whole_diagonal_that_was_forgotten_is_found() -> None:
    claim = sparse.csr_array(sparse.triu(jacobian(X)))
    check = fg.jacobian_check(broyden, claim, X)
    assert check.wrong.indices.tolist() == [i * N + i - 1 for i in range(1, N)]


def test_a_row_that_depends_on_everything_is_found() -> None:
    def f(x: Any) -> Any:
        y = broyden(x)
        y[11] = x @ np.arange(1.0, N + 1)
        return y

    check = fg.jacobian_check(f, jacobian(X), X)
    assert {int(k) // N for k in check.wrong.indices} == {11}
    assert len(check.wrong) == N
    assert fg.jacobian_check(f, changed_row(jacobian(X), 11, np.arange(1.0, N + 1)), X).passed


def changed_row(claim: Any, i: int, to: Any) -> Any:
    lines = claim.tolil()
    lines[[i], :] = to
    return lines.tocsr()


def shifted_logarithms(x: Any) -> Any:
    return np.log(x) + np.roll(x, 1)


def exponentials(x: Any) -> Any:
    return np.exp(1e8 * x)


@pytest.mark.parametrize("row", [0, 1, 3])
def test_a_forgotten_entry_is_found_where_f_has_no_value_at_its_steps(row: int) -> None:
    x = np.array([1e-7, 1.0, 2.0, 1e-8])
    right = np.diag(1 / x) + np.roll(np.eye(4), 1, axis=0)
    with np.errstate(all="ignore"):
        assert fg.jacobian_check(shifted_logarithms, sparse.csr_array(right), x).passed
        right[row, row] = 0.0
        check = fg.jacobian_check(shifted_logarithms, sparse.csr_array(right), x)
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [5 * row]


def test_a_forgotten_entry_is_found_where_f_explodes_on_its_steps() -> None:
    x = np.array([1e-8, 2e-8])
    for claim in (sparse.csr_array((2, 2)), sparse.csr_array(np.diag([1e8 * np.e, 0.0]))):
        with np.errstate(all="ignore"):
            check = fg.jacobian_check(exponentials, claim, x)
        assert check.verdict == "failed"
        assert 3 in check.wrong.indices
        assert check.resolution < 1e4


def test_what_is_stored_and_zero_is_right_if_it_is_claimed_so() -> None:
    claim = jacobian(X).tocoo()
    for value, wrong in ((0.0, []), (0.1, [2 * N + 17])):
        rows, cols = np.append(claim.row, 2), np.append(claim.col, 17)
        more = sparse.coo_array((np.append(claim.data, value), (rows, cols)), shape=claim.shape)
        check = fg.jacobian_check(broyden, more, X)
        assert check.wrong.indices.tolist() == wrong
        assert check.compared == 3 * N - 1


def test_a_transposed_claim_fails() -> None:
    check = fg.jacobian_check(broyden, jacobian(X).T, X)
    assert len(check.wrong) == 2 * (N - 1)
    assert "transposed" in check.diagnosis


def test_an_asymmetric_hessian_is_wrong_on_one_side() -> None:
    check = fg.hessian_check(None, changed(hessian(X), 5, 6, 3.0), X, grad=gradient)
    assert check.wrong.indices.tolist() == [5 * N + 6]
    upper = sparse.csr_array(sparse.triu(hessian(X)))
    check = fg.hessian_check(None, upper, X, grad=gradient)
    assert check.wrong.indices.tolist() == [i * N + i - 1 for i in range(1, N)]


def test_a_gradient_that_is_none_is_told() -> None:
    rng = np.random.default_rng(1)
    A = sparse.random_array((N, N), density=0.1, rng=rng, format="csr")
    for claim in (A, (A + A.T) / 2):
        check = fg.hessian_check(None, claim, X, grad=lambda x: A @ x)
        assert not check
        assert "grad is the gradient of no function" in check.reasons[0]


def test_sparsity_tells_what_a_dense_claim_has() -> None:
    dense = jacobian(X).toarray()
    for given in (BAND, sparsity.color(BAND), "detect", BAND.toarray()):
        check = fg.jacobian_check(broyden, dense, X, sparsity=given)
        assert (check.verdict, check.mode, check.compared) == ("passed", "sparse", 3 * N - 2)
    dense[20, 3] = 0.5  # outside of the pattern: it is measured all the same
    check = fg.jacobian_check(broyden, dense, X, sparsity=BAND)
    assert check.wrong.indices.tolist() == [20 * N + 3]
    for given in (BAND, sparsity.color(BAND, "symmetric"), sparsity.color(BAND), "detect"):
        assert fg.hessian_check(None, hessian(X).toarray(), X, grad=gradient, sparsity=given).mode == "sparse"
    upper = sparsity.as_pattern(sparse.triu(hessian(X)))
    assert fg.hessian_check(None, hessian(X), X, grad=gradient, sparsity=upper).passed


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(TypeError, match="give grad, or leave sparsity out"):
        fg.hessian_check(lambda x: x @ x, hessian(X), X, sparsity=BAND)
    with pytest.raises(fg.ShapeError, match=r"sparsity has the shape \(30, 30\); expected \(29, 30\)"):
        fg.jacobian_check(lambda x: broyden(x)[1:], jacobian(X)[1:], X, sparsity=BAND)
    with pytest.raises(fg.ShapeError, match=r"the claimed Jacobian has shape \(30, 30\); expected \(29, 30\)"):
        fg.jacobian_check(lambda x: broyden(x)[1:], jacobian(X), X)
    with pytest.raises(fg.ShapeError, match=r"the claimed Hessian has shape \(29, 30\); expected \(30, 30\)"):
        fg.hessian_check(None, hessian(X)[1:], X, grad=gradient)
    with pytest.raises(ValueError, match="a Jacobian is checked by a colouring of 'columns'; got one of 'rows'"):
        fg.jacobian_check(broyden, jacobian(X), X, sparsity=sparsity.color(BAND, "rows"))
    with pytest.raises(TypeError, match="must hold real numbers; got dtype complex128"):
        fg.jacobian_check(broyden, jacobian(X) * 1j, X)


def test_empty_and_bare_matrices() -> None:
    assert fg.jacobian_check(lambda x: np.ones(3), sparse.csr_array((3, 0)), np.empty(0)).passed
    assert fg.jacobian_check(lambda x: np.ones(3), sparse.csr_array((3, 4)), np.ones(4)).passed
    check = fg.jacobian_check(lambda x: x[:3] * 2, sparse.csr_array((3, 4)), np.ones(4))
    assert check.wrong.indices.tolist() == [0, 5, 10]
    assert fg.hessian_check(None, sparse.csr_array((4, 4)), np.ones(4), grad=lambda x: np.ones(4)).passed


def test_trees_and_arrays_of_more_axes() -> None:
    W = np.arange(6.0).reshape(2, 3)
    f = lambda w: w**2 * np.array([[1.0], [2.0]])  # noqa: E731
    claim = sparse.diags_array(2 * W.reshape(-1) * np.repeat([1.0, 2.0], 3), format="csr")
    assert fg.jacobian_check(f, claim, W).passed
    check = fg.jacobian_check(f, changed(claim, 4, 4, 1.0), W)
    assert check.worst is not None
    assert check.worst.name == "J[1, 1, 1, 1]"
    tree = {"a": 3.0, "b": np.array([1.0, 2.0])}
    g = lambda p: {"a": np.sum(p["b"] ** 2), "b": 2 * p["a"] * p["b"]}  # noqa: E731
    H = sparse.csr_array([[0.0, 2, 4], [2, 6, 0], [4, 0, 6]])
    assert fg.hessian_check(None, H, tree, grad=g).passed
    assert fg.hessian_check(None, changed(H, 1, 1, 5.0), tree, grad=g).wrong.indices.tolist() == [4]


def test_kinks_are_judged_by_the_slopes_on_both_sides() -> None:
    rng = np.random.default_rng(3)
    W = sparse.random_array((60, 40), density=0.05, rng=rng, format="csr")
    x = np.zeros(40)
    for slope in (0.0, 0.3, 1.0):
        check = fg.jacobian_check(lambda x: np.maximum(W @ x, 0.0), W * slope, x)
        assert check.passed
        if slope != 0.3:
            assert len(check.kinks) == W.nnz
    assert not fg.jacobian_check(lambda x: np.maximum(W @ x, 0.0), W * 1.5, x)


def test_many_kinks_are_judged_by_colours() -> None:
    n = 400
    check = fg.jacobian_check(lambda x: np.maximum(x, 0.0) + np.roll(x, 1), eye_and_roll(n), np.zeros(n))
    assert check.passed
    assert len(check.kinks) == n
    assert check.calls < n


def eye_and_roll(n: int) -> Any:
    i = np.arange(n)
    return sparse.csr_array((np.ones(2 * n), (np.tile(i, 2), np.concatenate([i, (i - 1) % n]))), shape=(n, n))


def test_noise_is_not_accused() -> None:
    rng = np.random.default_rng(0)
    check = fg.jacobian_check(lambda x: broyden(x) + 1e-6 * rng.normal(size=N), jacobian(X), X)
    assert check.verdict == "inconclusive"
    assert any("different values for the same x" in reason for reason in check.reasons)
    assert fg.jacobian_check(lambda x: broyden(x) + 1e-13 * rng.normal(size=N), jacobian(X), X).passed


def test_f_is_asked_no_farther_than_its_steps_and_its_errors_say_where() -> None:
    farthest = 0.0

    def f(x: Any) -> Any:
        nonlocal farthest
        farthest = max(farthest, float(np.max(np.abs(x - X))))
        return broyden(x)

    fg.jacobian_check(f, jacobian(X), X, 1e-5)
    assert farthest <= 1.001e-5

    def fails(x: Any) -> Any:
        if np.count_nonzero(x - X) == N:
            raise LookupError("no such place")
        return broyden(x)

    with pytest.raises(LookupError) as caught:
        fg.jacobian_check(fails, jacobian(X), X)
    assert "many entries of x were moved by their steps" in caught.value.__notes__[0]


def test_single_precision_is_judged_as_such() -> None:
    x = X.astype(np.float32)
    claim = jacobian(X).astype(np.float32)
    check = fg.jacobian_check(broyden, claim, x)
    assert (check.verdict, check.atol) == ("passed", 1e-3)
    assert fg.jacobian_check(broyden, changed(claim, 2, 2, 0.0), x).wrong.indices.tolist() == [2 * N + 2]


def test_the_textbook_rule_does_not_look_again() -> None:
    check = fg.jacobian_check(broyden, changed(jacobian(X), 0, 0, 1.0), X, rtol=0)
    assert (check.verdict, check.calls, check.wrong.indices.tolist()) == ("failed", 10, [0])


@pytest.mark.parametrize("options", [{"workers": map}, {"workers": 2}, {"vectorized": True}], ids=str)
def test_workers_and_stacks_judge_alike(options: dict[str, Any]) -> None:
    is_stacked = options.get("vectorized", False)
    f = (lambda s: np.stack([broyden(x) for x in s])) if is_stacked else broyden
    g = (lambda s: np.stack([gradient(x) for x in s])) if is_stacked else gradient
    for claim in (jacobian(X), changed(jacobian(X), 3, 2, 0.5), 2 * jacobian(X)):
        assert str(fg.jacobian_check(f, claim, X, **options)) == str(fg.jacobian_check(broyden, claim, X))
    for H in (hessian(X), changed(hessian(X), 3, 2, 0.5), hessian(X).toarray(), 2 * hessian(X).toarray()):
        found = fg.hessian_check(None, H, X, grad=g, **options)
        assert str(found) == str(fg.hessian_check(None, H, X, grad=gradient))


@pytest.mark.parametrize("options", [{"workers": map}, {"vectorized": True}], ids=str)
def test_hessians_from_values_take_workers_and_stacks(options: dict[str, Any]) -> None:
    x = np.array([0.3, -1.2, 0.7])

    def f(x: Any) -> Any:
        return x[0] ** 2 * x[1] + x[2] ** 3

    H = np.array([[2 * x[1], 2 * x[0], 0], [2 * x[0], 0, 0], [0, 0, 6 * x[2]]])
    g: Any = (lambda s: np.array([f(x) for x in s])) if options.get("vectorized") else f
    for claim in (H, H + np.diag([0.1, 0, 0])):
        found, alone = fg.hessian_check(g, claim, x, **options), fg.hessian_check(f, claim, x)
        assert (found.verdict, found.calls) == (alone.verdict, alone.calls)
        assert str(found) == str(alone)


def test_assertions_pass_the_keywords_through() -> None:
    from fastgrad.testing import assert_hessian, assert_jacobian

    assert assert_jacobian(broyden, jacobian(X).toarray(), X, sparsity=BAND).mode == "sparse"
    assert assert_hessian(None, hessian(X), X, grad=gradient, workers=map).mode == "sparse"
    with pytest.raises(fg.GradientMismatch, match=r"J\[3, 4\]"):
        assert_jacobian(broyden, changed(jacobian(X), 3, 4, 0.0), X)


def test_what_was_found_is_the_same_at_every_call_and_x_is_left_alone() -> None:
    x = X.copy()
    claim = changed(sparse.csr_array(sparse.triu(jacobian(X))), 3, 4, 0.5)
    first, second = (fg.jacobian_check(broyden, claim, x) for _ in range(2))
    assert str(first) == str(second)
    assert x.tobytes() == X.tobytes()
