"""The judge accuses no right gradient, whatever the function, and misses no wrong entry that it could see."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

#: A name, f, its right gradient, a point, and the step.
Case = tuple[Any, ...]
H = 1e-5
FRACTIONS = (0, 0.003, 0.01, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 0.99, 1, 1.01, 1.5, 2, 3, 5, 10, 15, 17, 50)


def points(n: int, seeds: int = 2) -> Iterator[Any]:
    for seed in range(seeds):
        yield np.random.default_rng(seed).standard_normal(n)


def hashed(x: Any) -> float:
    """Return noise of standard deviation 1 that depends on x alone."""
    return (zlib.crc32(x.tobytes()) / 2**32 - 0.5) * 12**0.5


def scaled(s: float, f: Any) -> Callable[[Any], Any]:
    return lambda x: s * f(x)


SMOOTH: dict[str, Any] = {
    "squares": (lambda x: np.sum(x**2), lambda x: 2 * x),
    "sine": (lambda x: np.sum(np.sin(x)), np.cos),
    "exponential": (lambda x: np.sum(np.exp(x)), np.exp),
    "softmax": (lambda x: np.log(np.sum(np.exp(x))), lambda x: np.exp(x) / np.sum(np.exp(x))),
}


def huge_and_tiny() -> Iterator[Case]:
    for s in (1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12):
        for name, (f, g) in SMOOTH.items():
            for x in points(6):
                yield f"{s:g} {name}", scaled(s, f), scaled(s, g), x, None
        for minimum in (np.zeros(4), np.ones(4), np.full(4, 0.1)):
            f = scaled(s, lambda x, m=minimum: 1 + np.sum((x - m) ** 2))
            yield f"{s:g} minimum", f, scaled(s, lambda x, m=minimum: 2 * (x - m)), minimum, None
    r = np.random.default_rng(5)
    A, b = r.standard_normal((50, 4)), r.standard_normal(50)
    least = np.linalg.lstsq(A, b, rcond=None)[0]
    yield "fitted", lambda w: 1e6 * np.sum((A @ w - b) ** 2), lambda w: 2e6 * A.T @ (A @ w - b), least, None


def far_and_near() -> Iterator[Case]:
    for s in (1e-12, 1e-6, 1e-3, 1e3, 1e6, 1e8):
        eps = "auto" if s >= 1e6 else None
        for x in points(5):
            for name in ("squares", "sine"):
                f, g = SMOOTH[name]
                yield f"{name} at {s:g}", f, g, s * x, eps
            yield (
                f"stretched at {s:g}",
                lambda x, s=s: np.sum(np.sin(x / s)),
                lambda x, s=s: np.cos(x / s) / s,
                s * x,
                eps,
            )
            yield f"inverse at {s:g}", lambda x: np.sum(1 / x), lambda x: -1 / x**2, s * x, eps
            yield f"logarithm at {s:g}", lambda x: np.sum(np.log(np.abs(x))), lambda x: 1 / x, s * x, eps
    for s in (1e9, 1e10, 1e11):  # where "auto" steps are longer than the wave
        for x in points(5):
            yield f"sine at {s:g}", *SMOOTH["sine"], s * x, "auto"
    for s in (1e4, 1e8, 1e10):
        x = np.array([s, 1.0, 1 / s])
        yield f"mixed {s:g} squares", *SMOOTH["squares"], x, "auto"
        yield f"mixed {s:g} sum", np.sum, np.ones_like, x, "auto"
        yield f"mixed {s:g} product", np.prod, lambda x: np.prod(x) / x, x, "auto"
        yield f"mixed {s:g} logarithm", lambda x: np.sum(np.log(np.abs(x))), lambda x: 1 / x, x, "auto"


def steep() -> Iterator[Case]:
    for x in points(5, 3):
        for a in (50, 100, 1000, 10_000):
            yield f"sine {a}", lambda x, a=a: np.sum(np.sin(a * x)), lambda x, a=a: a * np.cos(a * x), x, None
            for y in (x, 1e-4 * x):
                f, g = lambda x, a=a: np.sum(np.tanh(a * x)), lambda x, a=a: a * (1 - np.tanh(a * x) ** 2)
                yield f"tanh {a}", f, g, y, None
        yield "exponential", lambda x: np.sum(np.exp(5 * x)), lambda x: 5 * np.exp(5 * x), 3 * x, None
        yield "power", lambda x: np.sum(x**10), lambda x: 10 * x**9, 2 * x, None
        yield "chirp", lambda x: np.sum(np.sin(1 / x)), lambda x: -np.cos(1 / x) / x**2, x / 20, None
        yield "norm", np.linalg.norm, lambda x: x / np.linalg.norm(x), 1e-5 * x, None


def noisy() -> Iterator[Case]:
    f, g = SMOOTH["sine"]
    for e in (1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6):
        for seed, x in enumerate(points(5, 6)):
            yield f"hash {e:g}", lambda x, e=e: f(x) + e * hashed(x), g, x, None
            r = np.random.default_rng(seed)
            yield f"random {e:g}", lambda x, e=e, r=r: f(x) + e * r.standard_normal(), g, x, None
            yield f"rounded {e:g}", lambda x, e=e: np.round(f(x) / e) * e, g, x, None
            yield f"rounded terms {e:g}", lambda x, e=e: np.sum(np.round(np.sin(x) / e)) * e, g, x, None


def single_in_disguise() -> Iterator[Case]:
    cast = np.float32
    for x in points(7, 5):
        for s in (1.0, 1e-4, 1e4):
            g = scaled(s, np.cos)
            yield "argument", lambda x, s=s: s * float(np.sum(np.sin(x.astype(cast).astype(float)))), g, x, None
            yield "value", lambda x, s=s: cast(s * np.sum(np.sin(x))), g, x, None
            yield "inside", lambda x, s=s: cast(s) * np.sum(np.sin(x.astype(cast))), g, x, None
            both = scaled(s, lambda x: float(np.sum(x**2)) + float(np.sum(np.sin(x.astype(cast)))))
            yield "in part", both, scaled(s, lambda x: 2 * x + np.cos(x)), x, None
        yield "half", lambda x: float(np.sum(np.sin(x.astype(np.float16)))), np.cos, x, None
        yield "single point", lambda x: np.sum(np.sin(x)), np.cos, x.astype(cast), None
        yield "single claim", lambda x: np.sum(np.sin(x)), lambda x: np.cos(x).astype(cast), x, None


KINKED: dict[str, Any] = {
    "abs": (lambda x: np.sum(np.abs(x)), np.sign),
    "relu": (lambda x: np.sum(np.maximum(x, 0)), lambda x: np.where(x > 0, 1.0, 0.0)),
    "relu and square": (
        lambda x: np.sum(np.maximum(x, 0) + (x - 2) ** 2),
        lambda x: np.where(x > 0, 1.0, 0.0) + 2 * (x - 2),
    ),
    "steep relu": (
        lambda x: np.sum(np.maximum(30 * x, 0) + np.sin(x)),
        lambda x: np.where(x > 0, 30.0, 0.0) + np.cos(x),
    ),
    "squared relu": (lambda x: np.sum(np.maximum(x, 0) ** 2), lambda x: 2 * np.maximum(x, 0)),
    "leaky": (lambda x: np.sum(np.where(x > 0, x, 0.01 * x)), lambda x: np.where(x > 0, 1.0, 0.01)),
    "small": (
        lambda x: np.sum(np.sin(x) + 1e-4 * np.abs(x)),
        lambda x: np.cos(x) + 1e-4 * np.sign(x),
    ),
    "maximum": (
        lambda x: np.sum(np.maximum(2 * x, np.sin(x))),
        lambda x: np.where(2 * x > np.sin(x), 2.0, np.cos(x)),
    ),
    "inner": (lambda x: np.exp(np.sum(np.abs(x))), lambda x: np.sign(x) * np.exp(np.sum(np.abs(x)))),
}


def beside_a_kink() -> Iterator[Case]:
    for name, (f, g) in KINKED.items():
        for t in FRACTIONS:
            for sign in (1, -1):
                x = np.array([0.7, sign * t * H, -1.3])
                yield name, f, g, x, None
                yield f"{name}, large", scaled(1e6, f), scaled(1e6, g), x, None
                yield f"{name}, on a hill", lambda x, f=f: 1e4 + f(x), g, x, None
                yield f"{name}, aside", lambda x, f=f: f(x - 3), lambda x, g=g: g(x - 3), x + 3, None


def net(seed: int) -> tuple[Any, Any, Any, Any, Any]:
    r = np.random.default_rng(seed)
    W1, W2, t = r.standard_normal((16, 8)), r.standard_normal((3, 16)), r.standard_normal(3)

    def f(x: Any) -> Any:
        return np.sum((W2 @ np.maximum(W1 @ x, 0) - t) ** 2)

    def g(x: Any) -> Any:
        z = W1 @ x
        return W1.T @ ((z > 0) * (2 * W2.T @ (W2 @ np.maximum(z, 0) - t)))

    return f, g, W1, r.standard_normal(8), r


def nets() -> Iterator[Case]:
    for seed in range(8):
        f, g, W1, x, r = net(seed)
        yield "net", f, g, x, None
        for d in (0, 1e-12, 1e-9, 1e-7, 1e-6, 3e-6, 1e-5, 3e-5, -1e-9, -1e-6, -1e-5):
            yield f"net, {d:g} from a kink", f, g, x - W1[0] * (W1[0] @ x - d) / (W1[0] @ W1[0]), None
        for two in ((1e-6, -2e-6), (3e-6, 5e-6), (1e-7, 1e-5), (2e-5, -3e-5)):
            near = x - np.linalg.lstsq(W1[:2], W1[:2] @ x - two, rcond=None)[0]
            yield "net, two kinks", f, g, near, None
        yield "l1", lambda x, W=W1: np.sum(np.abs(W @ x)), lambda x, W=W1: W.T @ np.sign(W @ x), x, None
        largest = np.argsort(W1 @ x)[-2:]
        apart = W1[largest[0]] - W1[largest[1]]
        for d in (0, 1e-7, 1e-6, 1e-5):
            tied = x - apart * (apart @ x - d) / (apart @ apart)
            yield "tie", lambda x, W=W1: np.max(W @ x), lambda x, W=W1: W[np.argmax(W @ x)], tied, None
        A, y = r.standard_normal((500, 8)), np.sign(r.standard_normal(500))
        for s in (1.0, 1 / 500):
            hinge = scaled(s, lambda w, A=A, y=y: np.sum(np.maximum(0, 1 - y * (A @ w))))
            yield "hinge", hinge, scaled(s, lambda w, A=A, y=y: -(A * y[:, None]).T @ (y * (A @ w) < 1)), x, None


def long_sums() -> Iterator[Case]:
    r = np.random.default_rng(3)
    A, b, w = r.standard_normal((100_000, 4)), r.standard_normal(100_000), r.standard_normal(4)
    s = np.sign(b)
    best = np.linalg.lstsq(A, b, rcond=None)[0]
    for at in (w, best):
        yield "squares", lambda w: np.sum((A @ w - b) ** 2), lambda w: 2 * A.T @ (A @ w - b), at, None
    yield (
        "logistic",
        lambda w: np.sum(np.logaddexp(0, -s * (A @ w))),
        lambda w: -A.T @ (s / (1 + np.exp(s * (A @ w)))),
        w,
        None,
    )


def piecewise() -> Iterator[Case]:
    grid = np.linspace(-4, 4, 1001)
    values = np.sin(grid)
    slopes = np.diff(values) / np.diff(grid)
    for x in points(4, 3):
        yield "jump", lambda x: np.sum(x**2 + (x > 0)), lambda x: 2 * x, x, None
        f, g = lambda x: np.sum(np.interp(x, grid, values)), lambda x: slopes[np.searchsorted(grid, x) - 1]
        yield "table", f, g, x, None
    x = np.array([1.0, -1.0, 1 + 1e-6, 1 - 2e-6, 0.3])
    f, g = lambda x: np.sum(np.where(abs(x) < 1, x**2 / 2, abs(x) - 0.5)), lambda x: np.clip(x, -1, 1)
    yield "huber", f, g, x, None
    x = np.array([0, 1e-6, -1e-5, 2e-5, 0.1])
    yield "root", lambda x: np.sum(np.abs(x) ** 1.5), lambda x: 1.5 * np.sign(x) * np.sqrt(np.abs(x)), x, None
    x = np.array([2e-5, 1e-4, 1e-3, 0.1])
    yield "entropy", lambda x: np.sum(x * np.log(x)), lambda x: 1 + np.log(x), x, None


#: Each family of right gradients, and the share of its cases that must be passed: elsewhere noise decides.
FAMILIES = {
    "huge and tiny": (huge_and_tiny, 1.0),
    "far and near": (far_and_near, 0.97),  # 1e16 and 1e20 plus a square: doubles do not hold the digits
    "steep": (steep, 1.0),
    "noisy": (noisy, 0.6),
    "single in disguise": (single_in_disguise, 0.4),
    "beside a kink": (beside_a_kink, 0.97),
    "nets": (nets, 0.98),
    "long sums": (long_sums, 1.0),
    "piecewise": (piecewise, 1.0),
}


def check(f: Any, claim: Any, x: Any, eps: Any) -> fg.GradientCheck:
    with np.errstate(all="ignore"):
        return fg.gradient_check(f, claim, x, eps)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_right_gradient_is_accused(family: str) -> None:
    cases, share = FAMILIES[family]
    verdicts: Counter[str] = Counter()
    for name, f, g, x, eps in cases():
        found = check(f, g, x, eps)
        assert found.verdict != "failed", f"{name} at {x}\n{found}"
        verdicts[found.verdict] += 1
    assert verdicts["passed"] >= share * verdicts.total(), verdicts


@pytest.mark.parametrize("family", FAMILIES)
def test_a_wrong_entry_is_named_unless_noise_hides_it(family: str) -> None:
    """One entry is set off by a third of the largest: clearly more than noise, tolerance and the slopes at kinks."""
    seen = Counter[str]()
    for number, (name, f, g, x, eps) in enumerate(FAMILIES[family][0]()):
        claim = np.array(g(x), dtype=float)
        wrong = 0 if family == "beside a kink" else number % claim.size
        off = max(0.33 * np.max(np.abs(claim)), 1e-5)
        claim[wrong] += off if number % 2 else -off
        found = check(f, claim, x, eps)
        sight = _sight(name, family, f, x, off)
        if found.verdict == "failed":
            assert found.worst is not None
            assert found.worst.index == (wrong,), f"{name}\n{found}"
            assert found.wrong.indices.tolist() == [wrong], f"{name}\n{found}"
        elif sight:
            raise AssertionError(f"{name} at {x}, entry {wrong} off by {off}\n{found}")
        seen["failed" if found.verdict == "failed" else "hidden"] += 1
    assert seen["failed"] >= 0.85 * seen.total(), seen


def _sight(name: str, family: str, f: Any, x: Any, off: float) -> bool:
    """Tell whether nothing hides an error of this size: neither the slopes at a kink, nor rounding, nor jumps of f."""
    if family in ("nets", "far and near") or name in ("half", "norm", "chirp", "fitted"):
        return False
    with np.errstate(all="ignore"):
        rounding = 2.0**-53 * abs(float(f(x))) / (16 * H)
    return off > 1e3 * rounding and not (family == "single in disguise" and name != "single claim")


@pytest.mark.parametrize("eps", [None, "auto", 1e-6, "noise"])
@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0, 1.01, 2.0])
def test_steps_on_which_f_explodes_hide_nothing(factor: float, eps: Any) -> None:
    """What the first step shows, 1e24 and more, is neither a value to take a tolerance from, nor noise."""
    rates = np.array([1e8, 2e8])
    x, right = np.array([1e-8, 2e-8]), rates * np.exp(rates * np.array([1e-8, 2e-8]))
    verdict = "passed" if factor == 1.0 else "failed"
    with np.errstate(all="ignore"):
        found = fg.gradient_check(lambda x: float(np.sum(np.exp(rates * x))), factor * right, x, eps)
        assert found.verdict == verdict, found
        assert found.max_error < 1e3 or verdict == "failed"
        if eps != "noise":
            assert fg.jacobian_check(lambda x: np.exp(rates * x), np.diag(factor * right), x, eps).verdict == verdict
