"""A structured callable that measures wrongly is found out; one that measures rightly never is."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

R = np.random.default_rng(4)
W, X, V = R.standard_normal((20, 30)), R.standard_normal((6, 30)), R.standard_normal((6, 20))


class Broken:
    """The value of a linear loss, and a loop of its own that is the right one but for a fault."""

    def __init__(self, fault: Any, loss: Any = V) -> None:
        self.right = LinearLoss(W, X, loss=loss)
        self.fault = fault

    def __call__(self, x: Any) -> float:
        return self.right(x)

    def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
        evaluations = self.right.__fastgrad_gradient__(x, h, out)
        self.fault(out)
        return evaluations


def entry(i: int, j: int, factor: float) -> Any:
    def fault(out: Any) -> None:
        out[i, j] *= factor

    return fault


def row(out: Any) -> None:
    out[7] = 0


def negative_row(out: Any) -> None:
    out[-1] *= -1


def twice(out: Any) -> None:
    out *= 2


def swapped(out: Any) -> None:
    out[[2, 3]] = out[[3, 2]]


def shifted(out: Any) -> None:
    out[:] = np.roll(out, 1)


def transposed(out: Any) -> None:
    out[:] = out.T.reshape(out.shape)


def constant(out: Any) -> None:
    out[:] = 0.25


def slightly(out: Any) -> None:
    out *= 1 + 1e-4


FAULTS = [row, negative_row, twice, swapped, shifted, transposed, constant, slightly]
FAULTS += [entry(0, 0, 2.0), entry(19, 29, 0.0), entry(11, 4, -1.0), entry(3, 17, 1.5), entry(8, 8, 1.01)]


@pytest.mark.parametrize("loss", [V, SquaredError(V), CrossEntropy(np.abs(V))], ids=["linear", "squared", "entropy"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_loop_does_not_pass_with_a_claim_broken_alike(fault: Any, loss: Any) -> None:
    f = Broken(fault, loss)
    claim = np.empty_like(W)
    f.__fastgrad_gradient__(W, np.array([2.0**-17]), claim)
    check = fg.gradient_check(f, claim, W)
    assert check.verdict == "inconclusive", check
    assert "difference loop does not fit f" in check.reasons[0]
    with pytest.raises(fg.InconclusiveError):
        check.raise_if_failed()


@pytest.mark.parametrize("loss", [V, SquaredError(V), CrossEntropy(np.abs(V))], ids=["linear", "squared", "entropy"])
def test_the_same_loop_without_a_fault_passes(loss: Any) -> None:
    f = Broken(lambda out: None, loss)
    assert fg.gradient_check(f, fg.numerical_gradient(f, W), W).verdict == "passed"


class Stale:
    """A loop that goes on measuring where it was first called, and a value that does."""

    def __init__(self, *, value: bool, loop: bool) -> None:
        self.f = LinearLoss(W, X, loss=SquaredError(V))
        self.first: Any = None
        self.value, self.loop = value, loop

    def _at(self, x: Any, is_stale: bool) -> Any:
        self.first = np.array(x) if self.first is None else self.first
        return self.first if is_stale else x

    def __call__(self, x: Any) -> float:
        return self.f(self._at(x, self.value))

    def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
        return self.f.__fastgrad_gradient__(np.ascontiguousarray(self._at(x, self.loop)), h, out)


@pytest.mark.parametrize("which", [{"value": True, "loop": False}, {"value": False, "loop": True}])
def test_a_stale_cache_is_found_out(which: dict[str, bool]) -> None:
    f = Stale(**which)
    f(W + 1)
    claim = fg.numerical_gradient(f, W)
    assert fg.gradient_check(f, claim, W).verdict == "inconclusive"
    fresh = Stale(value=False, loop=False)
    assert fg.gradient_check(fresh, fg.numerical_gradient(fresh, W), W).passed


class Meddler(Broken):
    """Writes into what it is called with."""

    def __call__(self, x: Any) -> float:
        x *= 2
        return self.right(x)


def test_a_structured_callable_cannot_write_into_x() -> None:
    x = W.copy()
    with pytest.raises(ValueError, match="read-only"):
        fg.gradient_check(Meddler(lambda out: None), V.T @ X, x)
    np.testing.assert_array_equal(x, W)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("samples", [1, 64])
@pytest.mark.parametrize("wrt", ["W1", "W2", "x"])
@pytest.mark.parametrize("kind", ["cotangent", "squared", "entropy"])
def test_a_right_loop_is_never_called_flawed(kind: str, wrt: str, samples: int, scale: float) -> None:
    """A direction moves all pre-activations at once, across kinks that single entries do not reach."""
    r = np.random.default_rng(samples)
    net = fg.TwoLayerNet(40, 200, 3, rng=r)
    net.W1 *= scale
    x, v = r.standard_normal((samples, 40)), r.standard_normal((samples, 3))
    loss = {"cotangent": v, "squared": SquaredError(v), "entropy": CrossEntropy(np.abs(v))}[kind]
    f = TwoLayerLoss(net, x, loss=loss, wrt=wrt)  # type: ignore[arg-type]
    at = x if wrt == "x" else getattr(net, wrt)
    check = fg.gradient_check(f, fg.numerical_gradient(f, at), at)
    assert not any("does not fit" in reason for reason in check.reasons)
    assert check.verdict == "passed", check


@pytest.mark.parametrize("z", [1e-8, -1e-8, 3e-9, 1e-10])
@pytest.mark.parametrize("kind", ["sum", "squared", "entropy"])
def test_a_unit_nearer_to_zero_than_any_halved_step_flaws_no_loop(kind: str, z: float) -> None:
    """The loop sees a kink there, and f itself, with the witness's smaller steps, sees none."""
    r = np.random.default_rng(0)
    net, x, t = fg.TwoLayerNet(4, 6, 3, rng=r), np.ones(4), np.abs(r.standard_normal(3))
    net.W2 *= 10
    net.W1[2] = [0.5, -0.25, 0.25, -0.5]
    net.W1[2, 0] += z
    losses: dict[str, Any] = {"sum": "sum", "squared": SquaredError(t), "entropy": CrossEntropy(t)}
    y = net.forward(x)
    slope = {"sum": np.ones(3), "squared": 2 * (y - t), "entropy": fg.softmax_cross_entropy(y, t)[1]}[kind]
    right, f = net.backward(slope)[0], TwoLayerLoss(net, x, loss=losses[kind], wrt="W1")
    check = fg.gradient_check(f, right, net.W1)
    assert check.verdict == "passed", check
    assert len(check.kinks) == 0
    halved, other = right.copy(), right.copy()
    halved[2], other[4, 1] = (slope @ net.W2)[2] / 2, right[4, 1] + 0.5
    assert fg.gradient_check(f, halved, net.W1).wrong.indices.tolist() == [8, 9, 10, 11]
    check = fg.gradient_check(f, other, net.W1)
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [17]


@pytest.mark.parametrize("batch", [(), (32,)])
@pytest.mark.parametrize("dead", [slice(None), 2])
@pytest.mark.parametrize("kind", ["cotangent", "squared", "entropy"])
@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_units_at_zero_have_a_derivative_of_zero_if_backward_says_so(
    batch: tuple[int, ...], dead: Any, kind: str, scale: float
) -> None:
    """Also in a batch whose samples lie on both sides of them: the slopes of the whole loss may both be positive."""
    for seed in range(6):
        r = np.random.default_rng(seed)
        net, x = fg.TwoLayerNet(8, 6, 3, rng=r), r.standard_normal((*batch, 8))
        t = np.abs(r.standard_normal((*batch, 3)))
        net.W1 *= scale
        net.W2 *= scale
        net.W1[dead] = 0.0
        losses: dict[str, Any] = {"cotangent": t, "squared": SquaredError(t), "entropy": CrossEntropy(t)}
        y = net.forward(x)
        slope = {"cotangent": t, "squared": 2 * (y - t), "entropy": fg.softmax_cross_entropy(y, t)[1]}[kind]
        right, f = net.backward(slope)[0], TwoLayerLoss(net, x, loss=losses[kind], wrt="W1")
        check = fg.gradient_check(f, right, net.W1)
        assert check.verdict == "passed", check
        through = np.atleast_2d(slope @ net.W2 * (np.asarray(net.z1) >= 0)).T @ np.atleast_2d(x)  # with relu'(0) = 1
        assert fg.gradient_check(f, through, net.W1).verdict == "passed"
        assert fg.gradient_check(f, 30 * through - 29 * right, net.W1).verdict == "failed"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (300, 2), (64, 64)])
def test_small_and_single_precision_loops_pass(shape: tuple[int, int], dtype: Any) -> None:
    r = np.random.default_rng(0)
    W, x = r.standard_normal(shape).astype(dtype), r.standard_normal(shape[1]).astype(dtype)
    for loss in ("sum", SquaredError(np.ones(shape[0], dtype)), CrossEntropy(0)):
        f = LinearLoss(W, x, loss=loss)
        assert fg.gradient_check(f, fg.numerical_gradient(f, W), W).verdict == "passed"


def at_zero() -> tuple[TwoLayerLoss, Any, Any, Any]:
    """Return a net of which two hidden units are at zero, its weights, and the slopes below and above them."""
    r = np.random.default_rng(1)
    W1, W2, x, v = r.standard_normal((5, 4)), r.standard_normal((2, 5)), np.array([1.0, -2.0, 3.0, 1.0]), np.ones(2)
    W1[1] = 0.0
    W1[3] = [2.0, 1.0, 0.0, 0.0]
    f = TwoLayerLoss((W1, W2), x, loss=v, wrt="W1")
    z = W1 @ x
    assert z[1] == z[3] == 0
    above = np.outer(W2.T @ v, x)
    moved = np.where((z == 0)[:, None], np.where(x > 0, 0, above), np.where((z > 0)[:, None], above, 0))
    up = np.where((z == 0)[:, None], np.where(x > 0, above, 0), moved)
    return f, W1, moved, up


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_a_claim_between_the_slopes_at_zero_is_right(share: float) -> None:
    f, W1, left, right = at_zero()
    check = fg.gradient_check(f, left + share * (right - left), W1)
    assert check.verdict == "passed", check
    relu_0 = np.where(np.isin(np.arange(5), [1, 3])[:, None], 0, left)
    assert fg.gradient_check(f, relu_0, W1).passed


@pytest.mark.parametrize("share", [-0.1, 1.1, 2.0])
def test_a_claim_outside_the_slopes_at_zero_is_wrong(share: float) -> None:
    f, W1, left, right = at_zero()
    check = fg.gradient_check(f, left + share * (right - left), W1)
    assert check.verdict == "failed"
    np.testing.assert_array_equal(check.wrong.indices, np.flatnonzero(left != right))
    assert set(check.kinks.indices) >= set(check.wrong.indices)
    below, above = check.kinks.left, check.kinks.right
    np.testing.assert_allclose(below, left.reshape(-1)[check.kinks.indices], atol=1e-9)
    np.testing.assert_allclose(above, right.reshape(-1)[check.kinks.indices], atol=1e-9)


def test_indices_look_at_some_entries_of_a_structured_callable() -> None:
    f = LinearLoss(W, X, loss=V)
    claim = V.T @ X
    claim[3, 4] += 1
    assert fg.gradient_check(f, claim, W, indices=[0, 1, 2]).passed
    check = fg.gradient_check(f, claim, W, indices=[5, 3 * 30 + 4])
    assert check.worst is not None
    assert check.worst.name == "x[3, 4]"
    assert check.wrong.indices.tolist() == [3 * 30 + 4]


def test_a_wholly_wrong_claim_is_sorted_without_a_loop_in_python() -> None:
    big, x = R.standard_normal((300, 400)), R.standard_normal(400)
    check = fg.gradient_check(LinearLoss(big, x, loss="sum"), np.zeros_like(big), big)
    assert check.verdict == "failed"
    assert len(check.wrong) == big.size
    assert len(str(check).splitlines()) < 20
