"""An f that computes in single precision, whatever x is: no right claim of it fails, and no wrong one passes.

With the steps of double precision such an f stands still, or moves in jumps, and the larger its value, the more so.
"""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg

#: What is added to f: at the last one, the steps move nothing.
OFFSETS = (0.0, 10.0, 1e3, 1e5)
SEEDS = range(10)


def single(x: Any) -> Any:
    return np.asarray(x, dtype=np.float32)


def model(offset: float, n: int, seed: int) -> tuple[Any, Any, Any]:
    """Return f, a point in double precision, and the gradient there."""
    x = np.random.default_rng(seed).standard_normal(n)

    def f(x: Any) -> Any:
        return np.float32(np.float32(offset) + np.sum(np.tanh(single(x)), dtype=np.float32))

    return f, x, 1 - np.tanh(x) ** 2


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("n", [1, 4, 30])
def test_no_right_gradient_fails_and_no_wrong_one_passes(offset: float, n: int) -> None:
    for seed in SEEDS:
        f, x, g = model(offset, n, seed)
        assert fg.gradient_check(f, g, x).verdict != "failed"
        for wrong in (0 * g, -g, 2 * g):
            assert fg.gradient_check(f, wrong, x).verdict != "passed"


@pytest.mark.parametrize("offset", OFFSETS)
def test_nor_in_a_search(offset: float) -> None:
    f, x, g = model(offset, 3000, 1)
    assert fg.gradient_check(f, g, x, rng=1).verdict != "failed"
    for wrong in (0 * g, -g):
        assert fg.gradient_check(f, wrong, x, rng=1).verdict != "passed"


@pytest.mark.parametrize("size", [1.0, 1e3])
@pytest.mark.parametrize("eps", [None, "noise"])
@pytest.mark.parametrize("mode", ["full", "search"])
def test_nor_does_a_right_one_where_all_of_f_is_less_than_its_last_digit(mode: Any, eps: Any, size: float) -> None:
    """Larger steps tell nothing then: a bounded f is far away what it is at x."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        x, a = size * rng.standard_normal(4), rng.uniform(-0.01, 0.01, 4)
        f = lambda x, a=a: np.float32(1e6 + a @ np.sin(x / size))  # noqa: E731
        assert fg.gradient_check(f, a * np.cos(x / size) / size, x, eps, mode=mode, rng=seed).verdict != "failed"


@pytest.mark.parametrize("offset", OFFSETS[:3])
def test_nor_where_x_is_of_single_precision_as_well(offset: float) -> None:
    for seed in SEEDS:
        f, x, g = model(offset, 4, seed)
        assert fg.gradient_check(f, single(g), single(x)).verdict != "failed"
        for wrong in (0 * g, -g):
            assert fg.gradient_check(f, single(wrong), single(x)).verdict == "failed"


@pytest.mark.parametrize("offset", OFFSETS[:3])
def test_a_claim_of_nothing_fails_where_the_steps_can_be_long_enough(offset: float) -> None:
    f, x, g = model(offset, 4, 0)
    check = fg.gradient_check(f, 0 * g, x)
    assert check.verdict == "failed"
    assert "never written" in check.diagnosis


@pytest.mark.parametrize("offset", OFFSETS)
def test_no_right_jacobian_fails_and_no_empty_one_passes(offset: float) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        x, A = rng.standard_normal(4) / 2, rng.uniform(0.3, 1.0, (3, 4))
        J = (1 - np.tanh(A @ x) ** 2)[:, None] * A

        def f(x: Any, A: Any = A) -> Any:
            return np.float32(offset) + np.tanh(single(A) @ single(x))

        assert fg.jacobian_check(f, J, x).verdict != "failed"
        assert fg.jacobian_check(f, 0 * J, x).verdict != "passed"
        assert fg.jacobian_check(f, -J, x).verdict != "passed"


@pytest.mark.parametrize("offset", OFFSETS)
def test_no_right_hessian_fails(offset: float) -> None:
    for seed in SEEDS:
        f, x, g = model(offset, 3, seed)
        H = np.diag(-2 * np.tanh(x) * g)
        assert fg.hessian_check(f, H, x).verdict != "failed"
        assert fg.hessian_check(None, H, x, grad=lambda x: single(1 - np.tanh(single(x)) ** 2)).verdict != "failed"


def test_what_is_rightly_nothing_passes() -> None:
    """A constant, a unit that is switched off, and a loss that is large and of double precision."""
    x = np.array([0.5, -1.0, 2.0])
    for f in (
        lambda x: 3.0,
        lambda x: np.float32(1e3),
        lambda x: np.float32(7.7) + single(np.maximum(x - 5, 0)).sum(),
        lambda x: 1e9 + np.maximum(x - 5, 0).sum(),
        lambda x: 1e9,
    ):
        assert fg.gradient_check(f, np.zeros(3), x).verdict == "passed"
        assert fg.jacobian_check(lambda x, f=f: np.array([f(x), 1.0]), np.zeros((2, 3)), x).verdict == "passed"


def test_a_large_loss_of_double_precision_does_not_pass_a_claim_of_nothing() -> None:
    f = lambda x: 1e12 + float(np.sum(np.sin(x)))  # noqa: E731
    x = np.array([0.1, 0.2, 0.3])
    assert fg.gradient_check(f, np.zeros(3), x).verdict != "passed"
    assert fg.gradient_check(f, np.cos(x), x).verdict != "failed"


def test_the_report_says_what_to_do() -> None:
    f, x, g = model(10.0, 4, 0)
    assert "All values of f are of single precision: compute them in double precision." in str(
        fg.gradient_check(f, g, x)
    )


@pytest.mark.parametrize("options", [{}, {"eps": "auto"}, {"order": 4}, {"method": "adaptive"}])
@pytest.mark.parametrize("offset", OFFSETS[:3])
def test_error_bars_are_honest(offset: float, options: Any) -> None:
    """As elsewhere: within a factor of three in 99 of 100 cases, or, of so few, in all but a handful."""
    missed = count = 0
    for seed in range(30):
        f, x, g = model(offset, 4, seed)
        found = fg.numerical_gradient(f, x, details=True, **options)
        missed += int(np.count_nonzero(np.abs(found.value - g) > 3 * found.error))
        count += g.size
        assert found.flags["noisy"].any()
    assert missed <= 0.03 * count


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("offset", OFFSETS[:3])
def test_so_are_those_of_functions_of_one_variable(offset: float, n: int) -> None:
    x = np.random.default_rng(1).standard_normal(60)
    t = np.tanh(x)
    exact = (1 - t**2) if n == 1 else -2 * t * (1 - t**2)
    found = fg.derivative(lambda x: np.float32(np.float32(offset) + np.tanh(np.float32(x))), x, n=n, details=True)
    assert np.mean(np.abs(found.value - exact) <= 3 * found.error) >= 0.97


def test_so_are_those_along_directions_and_of_sparse_jacobians() -> None:
    missed = 0
    for seed in range(30):
        f, x, g = model(10.0, 4, seed)
        found = fg.directional_derivative(f, x, np.ones(4), details=True)
        missed += not abs(found.value - g.sum()) <= 3 * found.error
        J = fg.numerical_jacobian(lambda x: np.tanh(single(x)), x, sparsity=np.eye(4, dtype=bool), details=True)
        missed += int(np.count_nonzero(~(np.abs(J.value.diagonal() - g) <= 3 * J.error.diagonal())))
    assert missed <= 4


def test_error_bars_of_double_precision_are_what_they_were() -> None:
    """Numbers of single precision among the values, and functions that stand still, make no bar longer."""
    x = np.array([0.5, 2.0, -1.0])
    for f in (lambda x: 3.0, lambda x: float(x[0] ** 2), lambda x: float(np.sum(x))):
        found = fg.numerical_gradient(f, x, details=True)
        assert np.all(found.error < 1e-8)
        assert not found.flags["noisy"].any()


@pytest.mark.parametrize("slope", [2.0, 0.25, 3.0])
@pytest.mark.parametrize("options", [{"method": "forward"}, {"eps": 2.0**-17}, {"eps": 2.0**-10, "order": 4}])
def test_nor_do_values_of_few_digits_that_are_exact(slope: float, options: Any) -> None:
    """As a linear function has them at round points with steps that are powers of two."""
    x = np.array([1.0, 3.0, -5.0])
    J = fg.numerical_jacobian(lambda x: slope * x, x, details=True, **options)
    assert np.all(J.error < 1e-7)
    for i in range(3):
        found = fg.numerical_gradient(lambda x, i=i: slope * x[i], x, details=True, **options)
        assert np.all(found.error < 1e-7)
        assert not found.flags["noisy"].any()


@pytest.mark.parametrize("sparsity", [None, np.eye(3, dtype=bool)])
def test_nor_do_several_values_that_never_move(sparsity: Any) -> None:
    found = fg.numerical_jacobian(lambda x: np.array([1.0, 2.0, 4.0]), np.ones(3), sparsity=sparsity, details=True)
    assert np.max(found.error) < 1e-7
    assert not np.max(found.flags["noisy"])
