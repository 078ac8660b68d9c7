"""Many rows looked at in passing: what is found is what is found of rows that are kept, and no flaw can hide."""

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _rows
from fastgrad._judge import passing
from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

R = np.random.default_rng(5)
W, X, V = R.standard_normal((70, 80)), R.standard_normal((4, 80)), R.standard_normal((4, 70))


def row(out: Any) -> None:
    out[7] = 0


def twice(out: Any) -> None:
    out *= 2


def swapped(out: Any) -> None:
    out[[22, 43]] = out[[43, 22]]


def shifted(out: Any) -> None:
    out[:] = np.roll(out, 1)


def slightly(out: Any) -> None:
    out *= 1 + 1e-4


def one(out: Any) -> None:
    out[69, 79] *= -1


FAULTS = [row, twice, swapped, shifted, slightly, one]


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have these arrays looked at in passing, in spans of 20 rows."""
    monkeypatch.setattr(passing, "MANY", 0)
    monkeypatch.setattr(_rows, "TOGETHER", 1600)


def kept(monkeypatch: pytest.MonkeyPatch, f: Any, claim: Any, x: Any) -> dict[str, Any]:
    """Return what a check says that keeps all it measures."""
    with monkeypatch.context() as patch:
        patch.setattr(passing, "MANY", 1 << 40)
        return told(fg.gradient_check(f, claim, x))


def told(check: fg.GradientCheck) -> dict[str, Any]:
    """Return all of a result but the calls."""
    found: dict[str, Any] = json.loads(check.to_json())
    del found["calls"]
    return found


class Counted:
    """A loss that counts what is asked of it, with faults to order."""

    def __init__(self, f: Any, fault: Any = None, made: Any = None, value: Any = None) -> None:
        self.f, self.fault = f, fault
        self.made, self.value = made or (lambda made: made), value or (lambda value: value)
        self.calls = self.spans = self.asked = 0

    def __call__(self, x: Any) -> float:
        self.calls += 1
        return float(self.f(x))

    def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
        evaluations = int(self.f.__fastgrad_gradient__(x, h, out))
        if self.fault is not None:
            self.fault(out)
        return evaluations

    def __fastgrad_rows__(self, x: Any, h: Any) -> Any:
        whole = np.empty_like(x)
        evaluations = self.__fastgrad_gradient__(x, h, whole)

        def rows(first: int, last: int, out: Any) -> int:
            self.spans += 1
            out[...] = whole[first:last]
            return evaluations * (last - first) // len(x)

        return rows

    def __fastgrad_forward__(self) -> Any:
        made, value = self.f.__fastgrad_forward__()

        def make(rows: Any) -> Any:
            self.asked += 1
            return self.made(made(rows))

        return make, lambda every: self.value(value(every))


def right(f: Any, x: Any) -> Any:
    """Return the gradient that f's loop measures."""
    return fg.numerical_gradient(f, x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("wrt", ["W1", "W2"])
@pytest.mark.parametrize("batch", [(), (1,), (4,)])
@pytest.mark.parametrize("kind", ["cotangent", "squared", "entropy"])
def test_nothing_else_is_found_than_of_what_is_kept(
    kind: str, batch: tuple[int, ...], wrt: Any, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    r = np.random.default_rng(1)
    net, x, v = fg.TwoLayerNet(75, 80, 60, rng=r, dtype=dtype), r.standard_normal((*batch, 75)), r.random((*batch, 60))
    x, v = x.astype(dtype), v.astype(dtype)
    f = TwoLayerLoss(
        net, x, loss={"cotangent": v, "squared": SquaredError(v), "entropy": CrossEntropy(v)}[kind], wrt=wrt
    )
    at = getattr(net, wrt)
    claim = right(f, at)
    wrong, turned, undefined, rough = claim.copy(), claim.copy(), claim.copy(), claim * (1 + 2e-6)
    wrong[30, 40] += 0.5
    turned[7] *= -1
    undefined[2, 2] = np.nan
    for claimed in (claim, wrong, turned, undefined, rough):
        check = fg.gradient_check(f, claimed, at)
        assert told(check) == kept(monkeypatch, f, claimed, at)
        assert told(fg.gradient_check(f, claimed, at, workers=2)) == told(check)


def test_right_entries_are_measured_once_and_wrong_ones_once_more() -> None:
    f = Counted(LinearLoss(W, X, loss=V))
    claim = right(f, W)
    f.calls = f.spans = 0
    check = fg.gradient_check(f, claim, W)
    assert check.passed
    assert (f.calls, f.spans) == (1, 4)
    assert check.calls == 2 * W.size + 1 + 7  # the rows at x, on both sides of two directions and of the entries
    assert f.asked == 4 * 5 + 2
    claim[0, 0] += 1
    f.spans = 0
    failed = fg.gradient_check(f, claim, W)
    assert failed.wrong.indices.tolist() == [0]
    assert f.spans == 8
    assert failed.calls > check.calls + 2 * W.size


def test_a_linear_loss_is_asked_on_one_side() -> None:
    f = LinearLoss(W, X[0], loss=V[0])
    assert fg.gradient_check(f, right(f, W), W).calls == 2 * W.size + 1 + 5


@pytest.mark.parametrize("loss", [V, SquaredError(V), CrossEntropy(np.abs(V))], ids=["linear", "squared", "entropy"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_loop_does_not_pass_with_a_claim_broken_alike(fault: Any, loss: Any) -> None:
    f = Counted(LinearLoss(W, X, loss=loss), fault)
    check = fg.gradient_check(f, right(f, W), W)
    assert check.verdict == "inconclusive", check
    assert "difference loop does not fit f" in check.reasons[0]


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_loop_is_seen_by_products_alone(fault: Any, samples: int) -> None:
    """Also where a vector is given, so that rows are never moved in memory."""

    class Vector(Counted):
        def __fastgrad_forward__(self) -> Any:
            return self.f.__fastgrad_forward__()

        @property
        def __fastgrad_is_linear__(self) -> bool:
            return bool(self.f.__fastgrad_is_linear__)

    for loss in (V[:samples], SquaredError(V[:samples])):
        f = Vector(LinearLoss(W, X[:samples], loss=loss), fault)
        assert fg.gradient_check(f, right(f, W), W).verdict == "inconclusive"
        f.fault = None
        assert fg.gradient_check(f, right(f, W), W).verdict == "passed"


@pytest.mark.parametrize(
    "lie",
    [
        {"made": lambda made: made * np.where(np.arange(made.shape[-1]) == 0, 0.0, 1.0)},
        {"made": lambda made: made + 1},
        {"value": lambda value: 2 * value},
        {"value": lambda value: float("nan")},
        {"value": lambda value: float("inf")},
    ],
)
def test_a_forward_that_is_not_that_of_f_is_not_believed(lie: dict[str, Any]) -> None:
    f = Counted(LinearLoss(W, X, loss=SquaredError(V)), **lie)
    claim = right(f, W)
    f.calls = 0
    assert fg.gradient_check(f, claim, W).passed
    assert f.calls == 1 + 6  # all that is asked of an f without such a forward
    f.fault = shifted
    assert fg.gradient_check(f, right(f, W), W).verdict == "inconclusive"


def test_a_forward_may_decline() -> None:
    class Declines(Counted):
        def __fastgrad_forward__(self) -> Any:
            return None

    f = Declines(LinearLoss(W, X, loss=V))
    assert fg.gradient_check(f, right(f, W), W).passed
    assert f.calls > 1


def test_nobody_can_write_into_what_is_shown() -> None:
    writeable: list[bool] = []

    class Looks(Counted):
        def __fastgrad_forward__(self) -> Any:
            made, value = self.f.__fastgrad_forward__()

            def make(rows: Any) -> Any:
                writeable.append(rows.flags.writeable)
                return made(rows)

            return make, value

    x = W.copy()
    for loss in (V, SquaredError(V)):
        f = Looks(LinearLoss(W, X, loss=loss))
        assert fg.gradient_check(f, right(f, x), x).passed
    assert not any(writeable)
    assert len(writeable) == 2 * (4 * 5 + 2)
    assert x.tobytes() == W.tobytes()


@pytest.mark.parametrize("part", ["made", "value"])
@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_forward_arrives(part: str, workers: int) -> None:
    def fail(_: Any) -> Any:
        raise OSError("full")

    f = Counted(LinearLoss(W, X, loss=V), **{part: fail})
    with pytest.raises(OSError, match="full"):
        fg.gradient_check(f, right(f, W), W, workers=workers)


def test_a_line_has_rows_of_one_entry() -> None:
    class Line:
        """Σ x² of a line."""

        def __call__(self, x: Any) -> float:
            return float(x @ x)

        def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
            return int(self.__fastgrad_rows__(x, h)(0, len(x), out))

        def __fastgrad_rows__(self, x: Any, h: Any) -> Any:
            def rows(first: int, last: int, out: Any) -> int:
                out[...] = ((x[first:last] + h) ** 2 - (x[first:last] - h) ** 2) / (2 * h)
                return int(2 * out.size)

            return rows

        def __fastgrad_forward__(self) -> Any:
            return lambda rows: rows**2, lambda squares: float(squares.sum())

    x = R.standard_normal(5000)
    assert fg.gradient_check(Line(), 2 * x, x).calls == 10_000 + 1 + 7
    wrong = 2 * x
    wrong[4321] = 0
    assert fg.gradient_check(Line(), wrong, x).wrong.indices.tolist() == [4321]


def test_nothing_of_the_size_of_x_is_written() -> None:
    x = R.standard_normal(1000)
    weights = R.standard_normal((1000, 1000))
    f = LinearLoss(weights, x, loss="sum")
    claim = np.tile(x, (1000, 1))
    assert fg.gradient_check(f, claim, weights).passed
    tracemalloc.start()
    assert fg.gradient_check(f, claim, weights).passed
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < weights.nbytes / 10


class Squares:
    """Σ w x², by a loop of its own and a forward by rows, either of which can be another."""

    def __init__(self, weights: Any, made: Any = None, value: Any = None, loop: Any = None) -> None:
        self.weights, self.loop = weights, loop
        self.forward: Any = (made or (lambda rows: rows.T), value or (lambda made: (self.weights.T * made**2).sum()))
        self.spans = 0

    def __call__(self, x: Any) -> float:
        return float((self.weights * x**2).sum())

    def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
        return int(self.__fastgrad_rows__(x, h)(0, len(x), out))

    def __fastgrad_rows__(self, x: Any, h: Any) -> Any:
        def rows(first: int, last: int, out: Any) -> int:
            self.spans += 1
            out[...] = 2 * self.weights[first:last] * x[first:last]
            if self.loop is not None:
                self.loop(out)
            return 2 * int(out.size)

        return rows

    def __fastgrad_forward__(self) -> Any:
        return self.forward


def reusing() -> Any:
    """Return a `made` that fills one and the same array at every call."""
    result = np.empty((80, 20))

    def made(rows: Any) -> Any:
        result[:, : len(rows)] = rows.T
        return result[:, : len(rows)]

    return made


def in_place(made: Any) -> float:
    made **= 2
    return float(made.sum())


@pytest.mark.parametrize(
    "forward",
    [
        {},
        {"made": reusing()},
        {"made": lambda rows: rows.tolist() and [list(column) for column in rows.T]},
        {"value": in_place},
        {"value": lambda made: np.float32((made**2).sum())},
        {"made": lambda rows: (rows**2).sum(1), "value": sum},
        {"made": lambda rows: [float(row @ row) for row in rows], "value": lambda made: made.sum()},
    ],
    ids=["a view", "one array", "a list", "in place", "single", "a line", "a line of floats"],
)
def test_a_forward_may_do_with_memory_as_it_likes(forward: dict[str, Any]) -> None:
    f = Squares(np.ones(W.shape), **forward)
    assert fg.gradient_check(f, 2 * W, W).passed
    assert f.spans == 4 or forward.get("value") is not None
    f.loop = shifted
    assert fg.gradient_check(f, np.roll(2 * W, 1, axis=0), W).verdict != "passed"


def test_views_of_what_was_shown_hide_no_flaw() -> None:
    weights = np.ones(W.shape)
    weights.reshape(-1)[[k * (W.size - 1) // 7 for k in range(8)]] = 0  # what is looked at alone does not move
    f = Squares(weights, loop=lambda out: out.fill(0))
    assert fg.gradient_check(f, np.zeros_like(W), W).verdict == "inconclusive"


class WithVector:
    """Rows by a vector."""

    def __init__(self, vector: Any) -> None:
        self.vector = vector

    def __call__(self, rows: Any) -> Any:
        return (rows @ np.ones(80))[None]


@pytest.mark.parametrize(
    ("forward", "error", "sentence"),
    [
        (5, TypeError, r"__fastgrad_forward__ must return two functions, made and value; got 5"),
        ((None, float), TypeError, "must return two functions"),
        ((lambda rows: rows, float), fg.ShapeError, r"made, of __fastgrad_forward__, .* \(20, 80\) for 20 rows"),
        ((lambda rows: 1.0, float), fg.ShapeError, r"of shape \(\) for 20 rows"),
        ((lambda rows: None, float), fg.ShapeError, "its last axis must go along the rows"),
        ((lambda rows: rows.T, lambda made: None), TypeError, "value, of __fastgrad_forward__, must .* returned None"),
        ((lambda rows: rows.T, lambda made: 1j), TypeError, "must return a real number; it returned 1j"),
        ((WithVector(np.ones(79)), np.sum), fg.ShapeError, r"the vector of __fastgrad_forward__ has shape \(79,\)"),
        ((WithVector(np.ones((80, 1))), np.sum), fg.ShapeError, r"shape \(80, 1\)"),
        ((WithVector("ones"), np.sum), TypeError, "the vector of __fastgrad_forward__ has dtype"),
    ],
)
def test_a_forward_that_is_none_is_told_so(forward: Any, error: Any, sentence: str) -> None:
    f = Squares(np.ones(W.shape))
    f.forward = forward
    with pytest.raises(error, match=sentence):
        fg.gradient_check(f, 2 * W, W)


@pytest.mark.parametrize("vector", [np.ones(80, np.float32), [1] * 80, np.ones(160)[::2]])
def test_any_vector_of_numbers_will_do(vector: Any) -> None:
    class Sum(Squares):
        def __call__(self, x: Any) -> float:
            return float(x.sum())

        def __fastgrad_rows__(self, x: Any, h: Any) -> Any:
            return lambda first, last, out: out.fill(1.0) or 2 * out.size

    f = Sum(None)
    f.forward = WithVector(vector), np.sum
    assert fg.gradient_check(f, np.ones_like(W), W).calls == 2 * W.size + 1 + 7


@pytest.mark.parametrize("kind", [V[:, :5], SquaredError(V[:, :5]), CrossEntropy(np.abs(V[:, :5]))])
def test_kinks_beside_x_do_not_have_a_right_claim_measured_twice(kind: Any) -> None:
    """Of the units of a net, a direction has some cross their kinks that no entry reaches."""
    W2, sample = np.random.default_rng(0).standard_normal((5, 70)), X[0]
    close = W.copy()
    z = 1.2 * 2.0**-17 * np.abs(sample).max()
    close[::3] += np.outer(z - close[::3] @ sample, sample) / (sample @ sample)
    f = Counted(TwoLayerLoss((close, W2), X, loss=kind, wrt="W1"))
    claim = right(f, close)
    f.spans = 0
    check = fg.gradient_check(f, claim, close)
    assert check.passed
    assert f.spans == 4
    assert check.redone == 0
    assert 8 < check.calls - 2 * close.size <= 8 + 2 * 8  # four looks along each direction; noise takes 14 calls
    for fault in FAULTS:
        f.fault = fault
        assert fg.gradient_check(f, right(f, close), close).verdict == "inconclusive"


@pytest.mark.parametrize(("samples", "calls"), [(10, 8), (11, 6)])
def test_many_samples_are_not_looked_at_in_passing(samples: int, calls: int) -> None:
    """What they make of the rows would be as large as these."""
    x, v = R.standard_normal((samples, 80)), R.standard_normal((samples, 70))
    f = LinearLoss(W, x, loss=SquaredError(v))
    assert (f.__fastgrad_forward__() is None) == (samples == 11)
    assert fg.gradient_check(f, right(f, W), W).calls == 2 * W.size + calls


def test_a_forward_that_is_far_off_beside_x_hides_no_flaw() -> None:
    """What f's loop is off by is held against what f itself showed at first, not its forward."""

    class Raised(Squares):
        def __call__(self, x: Any) -> float:
            return 1e10 + super().__call__(x)

    f = Raised(np.ones(W.shape), value=lambda made: 1e10 + 2 * (made**2).sum())
    assert fg.gradient_check(f, 2 * W, W).passed
    f.loop = lambda out: out.__imul__(0.9)
    assert fg.gradient_check(f, 1.8 * W, W).verdict == "inconclusive"
