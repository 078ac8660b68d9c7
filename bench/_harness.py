"""Interleaved timing: a speed is a ratio of two things measured in turn, in the same process and the same minute."""

import gc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

_BATCH = 1e-2  # seconds a contender runs at a time: long beside the clock, and beside a first run on cold caches
_FEWEST = 5  # rounds, however long they last
_MOST = 300


@dataclass(frozen=True)
class Ratio:
    """How many times one thing takes of another: by their minima, and the median over the rounds."""

    of_minima: float
    of_rounds: float


@dataclass(frozen=True)
class Timings:
    """Seconds a run of each contender, one figure a round; round k of all of them was measured side by side."""

    seconds: Mapping[str, list[float]]

    def best(self, name: str) -> float:
        """Return the least time of a contender."""
        return min(self.seconds[name])

    def ratio(self, over: str, under: str) -> Ratio:
        """Return the time of one contender over that of another."""
        rounds = [a / b for a, b in zip(self.seconds[over], self.seconds[under], strict=True)]
        return Ratio(self.best(over) / self.best(under), median(rounds))

    def excess_ratio(self, over: str, under: str, allowance: float) -> Ratio:
        """Return the same, after this many seconds were taken from the first."""
        rounds = [(a - allowance) / b for a, b in zip(self.seconds[over], self.seconds[under], strict=True)]
        return Ratio((self.best(over) - allowance) / self.best(under), median(rounds))


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes
    ----------
    seconds : float
        The time to spend on one comparison; five rounds are made even where they last longer.
    quick : bool
        Whether families may leave out what lasts long.
    """

    seconds: float
    quick: bool


def interleave(
    contenders: Mapping[str, Callable[[], object]], effort: Effort, *, scale: Mapping[str, float] | None = None
) -> Timings:
    """Time the contenders in turn, round after round, every other round backwards.

    Parameters
    ----------
    contenders : mapping of callables
        Each is run once to warm up, and then so often at a time that the clock's own cost does not count.
    effort : Effort
        How long to go on.
    scale : mapping of float, optional
        The factor by which the time of a contender that does only a sample of the work is to be multiplied.
    """
    repeats = {name: _repeats(run) for name, run in contenders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        start = perf_counter()
        for done in range(_MOST):
            if done >= _FEWEST and perf_counter() - start > effort.seconds:
                break
            for name in names if done % 2 == 0 else reversed(names):
                factor = 1.0 if scale is None else scale.get(name, 1.0)
                seconds[name].append(factor * _timed(contenders[name], repeats[name]) / repeats[name])
    finally:
        if was_enabled:
            gc.enable()
    return Timings(seconds)


def _repeats(run: Callable[[], object]) -> int:
    _timed(run, 1)
    once = _timed(run, 1)
    return max(1, math.ceil(_BATCH / max(once, 1e-7)))


def _timed(run: Callable[[], object], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        run()
    return perf_counter() - start
