"""Numbers of the wrong kind are refused in a sentence: truth values, floats for counts, texts."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import problems, sparsity, steps

A, B = np.eye(3), np.ones(3)
X = np.array([0.5, -1.2, 2.0])
PATTERN = sparsity.banded(3, 0)


def f(x: Any) -> float:
    return float(np.sum(x**3))


def values(x: Any) -> Any:
    return x**2


#: For calls that types forbid.
ANY: Any = fg


def unsized(name: str) -> Callable[[Any], Any]:
    return lambda size: getattr(problems, name)(size)


#: Counts, by the name that the sentence gives them: each takes 2.
COUNTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "descent": ("n_steps", lambda n: fg.least_squares_gd(A, B, 0.1, n)),
    "descent of the reference": ("n_steps", lambda n: fg.reference.least_squares_gd(A, B, 0.1, n)),
    "gradient": ("order", lambda p: fg.numerical_gradient(f, X, order=p)),
    "gradient forward": ("order", lambda p: fg.numerical_gradient(f, X, method="forward", order=p)),
    "gradient by noise": ("order", lambda p: fg.numerical_gradient(f, X, "noise", order=p)),
    "gradient on workers": ("order", lambda p: fg.numerical_gradient(f, X, order=p, workers=map)),
    "gradient in stacks": (
        "order",
        lambda p: fg.numerical_gradient(lambda x: np.sum(x**3, -1), X, order=p, vectorized=True),
    ),
    "gradient with bars": ("order", lambda p: fg.numerical_gradient(f, X, order=p, details=True)),
    "jacobian": ("order", lambda p: fg.numerical_jacobian(values, X, order=p)),
    "sparse jacobian": ("order", lambda p: fg.numerical_jacobian(values, X, order=p, sparsity=PATTERN)),
    "plan": ("order", lambda p: fg.plan_jacobian(values, X, order=p)(X)),
    "plan's argument": ("argnum", lambda k: fg.plan_jacobian(lambda a, b, x: values(x), X, argnum=k, args=(1, 2))(X)),
    "direction": ("order", lambda p: fg.directional_derivative(f, X, B, order=p)),
    "transposed product": ("order", lambda p: fg.numerical_vjp(values, X, B, order=p)),
    "second product": ("order", lambda p: fg.hessian_vector_product(None, X, B, grad=values, order=p)),
    "one side": ("order", lambda p: fg.one_sided_derivatives(f, X, order=p)),
    "derivative": ("n", lambda n: fg.derivative(np.sin, 1.0, n)),
    "layer": ("the size of a layer", lambda n: fg.LinearLayer(n, 3)),
    "net": ("the size of a layer", lambda n: fg.TwoLayerNet(3, n, 3)),
    "automatic steps": ("order", lambda p: steps.auto(X, p)),
    "steps from noise": ("order", lambda p: steps.from_noise(1e-9, X, 1.0, order=p)),
    "steps by noise": ("order", lambda p: steps.by_noise(f, X, "central", p)),
    "band below": ("lower", lambda n: sparsity.banded(5, n)),
    "band above": ("upper", lambda n: sparsity.banded(5, 1, n)),
    "points": ("points, where they are not given themselves,", lambda n: sparsity.detect(values, X, points=n)),
    "probes": ("probes", lambda n: sparsity.verify(values, X, PATTERN, probes=n)),
    **{name: ("n", unsized(name)) for name in ("chebyquad", "penalty_1", "trigonometric", "broyden_banded")},
    **{name: ("m", unsized(name)) for name in ("gulf", "box", "brown_dennis", "biggs_exp6", "jennrich_sampson")},
    **{name: ("n", unsized(name)) for name in ("extended_rosenbrock", "brusselator", "watson")},
    "bratu": ("side", problems.bratu),
}


@pytest.mark.parametrize("given", [True, np.True_, 2.0, np.float64(2.0), "2", [2], np.array([2]), 2 + 0j, float("nan")])
@pytest.mark.parametrize("where", COUNTS)
def test_what_is_no_integer_is_no_count(where: str, given: Any) -> None:
    name, call = COUNTS[where]
    if where == "points" and isinstance(given, list | np.ndarray):
        return  # those are points
    for _ in range(2):  # what is kept from one call makes no difference for the next
        with pytest.raises(TypeError) as caught:
            call(given)
        assert str(caught.value) == f"{name} must be an integer; got {given!r}."


@pytest.mark.parametrize("where", COUNTS)
def test_integers_of_numpy_are_counts(where: str) -> None:
    _, call = COUNTS[where]
    call(2)
    for given in (np.int64(2), np.int8(2), np.array(2), np.uint16(2)):
        call(given)


#: Real numbers that are not negative: each takes 0.25.
NUMBERS: dict[str, Callable[[Any], Any]] = {
    "learning_rate": lambda rate: fg.least_squares_gd(A, B, rate, 2),
    "ridge": lambda ridge: fg.least_squares_gd(A, B, 0.1, 2, ridge=ridge),
    "gtol": lambda gtol: fg.least_squares_gd(A, B, 0.1, 2, gtol=gtol),
    "atol": lambda atol: fg.gradient_check(f, 3 * X**2, X, atol=atol),
    "rtol": lambda rtol: fg.jacobian_check(values, np.diag(2 * X), X, rtol=rtol),
    "atol of the reference": lambda atol: fg.reference.gradient_check(f, 3 * X**2, X, atol=atol),
    "noise": lambda noise: steps.from_noise(noise, X, 1.0),
    "eps": lambda eps: fg.numerical_gradient(f, X, eps),
}


@pytest.mark.parametrize(
    "given",
    [True, np.True_, "0.25", b"1", -0.25, float("nan"), float("inf"), 0.25j, [0.25], 10**400, np.timedelta64(1)],
)
@pytest.mark.parametrize("where", NUMBERS)
def test_what_is_no_real_number_is_refused(where: str, given: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        NUMBERS[where](given)
    if not (where == "eps" and isinstance(given, list)):  # that has the wrong shape
        assert str(caught.value).startswith(("eps must be", "the noise must be", f"{where.split()[0]} must be"))
        assert str(caught.value).endswith(f"; got {given!r}.")


@pytest.mark.parametrize("where", NUMBERS)
def test_numbers_of_numpy_are_numbers(where: str) -> None:
    for given in (0.25, np.float32(0.25), np.float64(0.25), np.array(0.25)):
        NUMBERS[where](given)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: sparsity.banded(True), fg.ShapeError, "a pair (m, n) of integers; got (True, True)"),
        (lambda: sparsity.block_diagonal([2, True]), fg.ShapeError, "a pair (m, n) of integers; got (True, True)"),
        (lambda: sparsity.Pattern([0], [0], (True, 2)), fg.ShapeError, "a pair (m, n) of integers; got (True, 2)"),
        (lambda: sparsity.verify(values, X, PATTERN, probes=-1), ValueError, "probes must not be negative; got -1."),
        (lambda: steps.realised("0.1"), TypeError, "x must be a numpy.float64 or a numpy.float32"),
        (lambda: steps.realised(2), TypeError, "as an entry of an array is; got 2."),
        (lambda: steps.from_noise(1e-9, X, "1"), TypeError, "bend has dtype"),
        (lambda: steps.from_noise(1e-9, X, None), TypeError, "bend has dtype object"),
        (lambda: fg.LinearLayer(2, 3, rng=True), TypeError, "or a numpy.random.Generator; got True."),
        (lambda: fg.LinearLayer(2, 3, dtype="abc"), TypeError, "dtype must be float64 or float32, got 'abc'."),
        (lambda: problems.penalty_1(0), ValueError, "n must be at least 1 in the problem penalty_1; got 0."),
        (lambda: problems.chebyquad(8, m=-1), ValueError, "m must be at least 1 in the problem chebyquad; got -1."),
        (lambda: ANY.problems.sparse_problems(8.5), TypeError, "n must be an integer; got 8.5."),
        (lambda: ANY.numerical_vjp(values, X, B, method=["central"]), ValueError, "method must be one of 'central'"),
        (lambda: ANY.steps.from_noise(1e-9, X, 1.0, method=["central"]), ValueError, "method must be one of 'central'"),
    ],
)
def test_other_sloppiness_is_told(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


def test_sizes_of_blocks_may_be_integers_of_any_kind() -> None:
    plain = sparsity.block_diagonal([2, (1, 2)])
    assert sparsity.block_diagonal([np.array(2), (np.int8(1), np.array(2))]) == plain


def test_problems_keep_their_names_and_signatures() -> None:
    assert inspect.signature(problems.chebyquad).parameters["m"].default is None
    assert problems.chebyquad.__name__ == "chebyquad"
    assert ANY.problems.chebyquad(np.array(8)).minimum == problems.chebyquad(8).minimum == 3.51687e-3
