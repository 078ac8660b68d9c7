"""How good the search is: calls to name wrong entries, false alarms, misses; as a table with the number of trials.

    python -m bench.check_quality [--share 0.1] [--only NAME ...]

All seeds are fixed. `--share` scales the number of trials; the suite runs one in a hundred of them at smaller sizes.
"""

import argparse
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import NamedTuple

import numpy as np

import fastgrad as fg
from bench._models import MODELS, Array, Model
from bench._peers import jax_check, torch_fast


class Row(NamedTuple):
    """One line of the table: what was tried, how often, what came out."""

    what: str
    trials: int
    outcome: str


def planted(model: Model, count: int, r: np.random.Generator) -> tuple[Array, set[int]]:
    """Return the gradient with so many entries off by 1e-2 … 1 of the median size, and which they are."""
    claim = model.gradient(model.x).copy()
    where = r.choice(claim.size, count, replace=False)
    claim[where] += np.median(np.abs(claim)) * 10.0 ** r.uniform(-2, 0, count) * r.choice([-1, 1], count)
    return claim, set(where.tolist())


def naming(n: int, share: float) -> Iterator[Row]:
    """Plant wrong entries among n: calls an entry until all are named, calibration apart."""
    for name in ("quadratic", "tanh net"):
        for count, full in ((1, 100), (5, 40), (50, 10)):
            trials = max(1, round(full * share))
            calls, missed, hidden, wrongly, calibration = [], 0, 0, 0, []
            for seed in range(trials):
                r = np.random.default_rng(seed)
                model = MODELS[name](n, r)
                right = fg.gradient_check(model.f, model.gradient(model.x), model.x, rng=seed, mode="search")
                claim, where = planted(model, count, r)
                check = fg.gradient_check(model.f, claim, model.x, rng=seed, mode="search")
                found = set(check.wrong.indices.tolist())
                off = np.abs(claim - model.gradient(model.x))
                lost = [i for i in where - found if off[i] > check.resolution]
                missed += len(lost)
                hidden += len(where - found) - len(lost)
                wrongly += len(found - where)
                calls.append((check.calls - right.calls) / count)
                calibration.append(right.calls)
            yield Row(
                f"{count} wrong of {model.x.size}, {name}",
                trials,
                f"calls an entry: mean {np.mean(calls):.1f}, max {max(calls):.1f}; calibration "
                f"{np.mean(calibration):.0f} (max {max(calibration)}); missed {missed}, below the resolution "
                f"{hidden}, wrongly named {wrongly}",
            )


def right_gradients(n: int, share: float) -> Iterator[Row]:
    """Check right gradients, a new function each time."""
    for name, make in MODELS.items():
        trials = max(2, round(1000 * share))
        verdicts: Counter[str] = Counter()
        finer = passed = calls = 0
        for seed in range(trials):
            model = make(n, np.random.default_rng(seed))
            check = fg.gradient_check(model.f, model.gradient(model.x), model.x, rng=seed, mode="search")
            verdicts[check.verdict] += 1
            calls += check.calls
            claim = np.abs(model.gradient(model.x)).max()
            if check.max_error <= check.atol + check.rtol * float(claim):
                finer += 1
                passed += check.passed
        yield Row(
            f"right, {name}, n = {model.x.size}",
            trials,
            f"failed {verdicts['failed']}, inconclusive {verdicts['inconclusive']}, passed {verdicts['passed']} "
            f"({passed} of {finer} where the resolution is finer than the tolerance); {calls / trials:.0f} calls",
        )


def at_scale(n: int, share: float) -> Iterator[Row]:
    """Check right gradients at scale, beside the peers' rules."""
    for name in ("ReLU net", "convolution", "logistic", "attention", "layer norm", "embedding"):
        trials = max(1, round(20 * share))
        verdicts: Counter[str] = Counter()
        theirs = [0, 0]
        for seed in range(trials):
            model = MODELS[name](n, np.random.default_rng(seed))
            claim = model.gradient(model.x)
            verdicts[fg.gradient_check(model.f, claim, model.x, rng=seed, mode="search").verdict] += 1
            theirs[0] += torch_fast(model.f, claim, model.x, seed)
            theirs[1] += jax_check(model.f, claim, model.x, seed)
        yield Row(
            f"right, {name}, n = {model.x.size}",
            trials,
            f"{dict(verdicts)}; torch's rule passes {theirs[0]}, JAX's {theirs[1]}",
        )


def _float16(claim: Array, r: np.random.Generator) -> Array:
    start = int(r.integers(claim.size - 1000))
    claim[start : start + 1000] = claim[start : start + 1000].astype(np.float16)
    return claim


def _flipped(claim: Array, r: np.random.Generator) -> Array:
    i = int(np.argsort(np.abs(claim))[int(r.integers(claim.size // 2, claim.size))])
    claim[i] = -claim[i]
    return claim


def _pair(claim: Array, r: np.random.Generator) -> Array:
    i, j = r.choice(claim.size, 2, replace=False)
    by = 10.0 * np.median(np.abs(claim[claim != 0]))
    claim[i] += by
    claim[j] -= by
    return claim


def _zero_row(claim: Array, r: np.random.Generator) -> Array:
    width = int(claim.size**0.5)
    used = np.flatnonzero(np.abs(claim) > np.median(np.abs(claim[claim != 0])))
    start = int(r.choice(used)) // width * width
    claim[start : start + width] = 0.0
    return claim


BUGS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "one sign flipped": _flipped,
    "a pair that cancels": _pair,
    "a row of zeros": _zero_row,
    "all zeros": lambda claim, r: 0.0 * claim,
    "a block rounded to float16": _float16,
    "twice as large": lambda claim, r: 2.0 * claim,
}


def bugs(n: int, share: float) -> Iterator[Row]:
    """Check wrong gradients that a projection with one tolerance for all entries misses."""
    for bug, plant in BUGS.items():
        ours: Counter[str] = Counter()
        theirs, trials = [0, 0], 0
        for name in ("quadratic", "tanh net", "ReLU net", "convolution", "logistic", "attention", "layer norm"):
            for seed in range(max(1, round(10 * share))):
                r = np.random.default_rng(seed)
                model = MODELS[name](n, r)
                claim = plant(model.gradient(model.x).copy(), r)
                ours[fg.gradient_check(model.f, claim, model.x, rng=seed, mode="search").verdict] += 1
                theirs[0] += not torch_fast(model.f, claim, model.x, seed)
                theirs[1] += not jax_check(model.f, claim, model.x, seed)
                trials += 1
        yield Row(
            f"wrong: {bug}, n ≈ {n}, 7 models",
            trials,
            f"{dict(ours)}; torch's rule rejects {theirs[0]}, JAX's {theirs[1]}",
        )


def single_backward(n: int, share: float) -> Iterator[Row]:
    """Give a right backward in single precision, as such and as doubles."""
    for name in ("quadratic", "tanh net", "ReLU net", "attention"):
        trials = max(1, round(20 * share))
        as_float32: Counter[str] = Counter()
        as_float64: Counter[str] = Counter()
        for seed in range(trials):
            model = MODELS[name](n, np.random.default_rng(seed))
            claim = model.gradient(model.x).astype(np.float32)
            as_float32[fg.gradient_check(model.f, claim, model.x, rng=seed, mode="search").verdict] += 1
            given = claim.astype(np.float64)
            as_float64[fg.gradient_check(model.f, given, model.x, rng=seed, mode="search").verdict] += 1
        yield Row(
            f"backward rounded to float32, {name}, n = {model.x.size}",
            trials,
            f"given as float32 {dict(as_float32)}, as float64 {dict(as_float64)}",
        )


def at_the_resolution(n: int, share: float) -> Iterator[Row]:
    """Plant one error of the size that the check of the right gradient states as its resolution."""
    for name in ("quadratic", "tanh net", "softmax", "attention"):
        trials = max(2, round(1000 * share))
        missed = 0
        for seed in range(trials):
            r = np.random.default_rng(seed)
            model = MODELS[name](n, r)
            claim = model.gradient(model.x).copy()
            stated = fg.gradient_check(model.f, claim, model.x, rng=seed, mode="search").resolution
            i = int(r.integers(claim.size))
            size = abs(claim[i]) + stated  # an error on a larger entry has a larger tolerance
            claim[i] += max(1.001 * stated, 1e-6 + 1e-5 * size) * r.choice([-1, 1])
            check = fg.gradient_check(model.f, claim, model.x, rng=seed + 10**6, mode="search")
            missed += i not in check.wrong.indices
        yield Row(f"one error of the stated resolution, {name}, n = {model.x.size}", trials, f"missed {missed}")


def huge(n: int, share: float) -> Iterator[Row]:
    """Check a linear layer of n weights: calls, and memory beside the gradient's."""
    d = int(n**0.5)
    r = np.random.default_rng(0)
    W, x, v = r.standard_normal((d, d)), r.standard_normal(d), r.standard_normal(d)
    claim = np.outer(v, x)
    tracemalloc.start()
    start = perf_counter()
    check = fg.gradient_check(lambda W: float(v @ (W @ x)), claim, W, rng=0)
    seconds = perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1] / claim.nbytes
    tracemalloc.stop()
    yield Row(
        f"right, linear layer, n = {claim.size}",
        1,
        f"{check.verdict} in {check.calls} calls, {seconds:.1f} s, memory {peak:.2f} × the gradient's, "
        f"resolution {check.resolution:.1e}",
    )


FAMILIES: dict[str, tuple[Callable[[int, float], Iterator[Row]], int]] = {
    "naming": (naming, 10**6),
    "right": (right_gradients, 10**4),
    "scale": (at_scale, 3 * 10**5),
    "bugs": (bugs, 10**5),
    "single": (single_backward, 10**5),
    "resolution": (at_the_resolution, 10**4),
    "huge": (huge, 10**7),
}


def main() -> None:
    """Print the table, a line as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", default=list(FAMILIES), choices=list(FAMILIES))
    given = parser.parse_args()
    print("| what | trials | outcome |\n|---|---|---|")
    for name in given.only:
        family, n = FAMILIES[name]
        for row in family(n, given.share):
            print(f"| {row.what} | {row.trials} | {row.outcome} |", flush=True)


if __name__ == "__main__":
    main()
