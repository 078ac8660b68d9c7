"""Interleaved timing: a speed is a ratio of two things measured in turn, in the same process and the same minute."""

import gc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

_LONG = 5e-5  # seconds from which a run is timed by itself: the clock's own cost, some 50 ns, is lost in it
_WARM = 0.1  # seconds from which a first run has warmed up while it lasted
_SLOW = 1.0  # seconds a round from which what disturbs it averages out within it
_FEWEST, _FEWEST_SLOW, _MOST = 5, 3, 300  # rounds


@dataclass(frozen=True)
class Ratio:
    """How many times one thing takes of another: by their minima, and the median over the rounds."""

    of_minima: float
    of_rounds: float


@dataclass(frozen=True)
class Timings:
    """Seconds a run of each contender.

    Attributes
    ----------
    seconds : mapping of lists
        The mean of each round; round k of all contenders was measured side by side.
    least : mapping of float
        The least time: of single runs where they are long beside the clock, else of the means.
    """

    seconds: Mapping[str, list[float]]
    least: Mapping[str, float]

    def best(self, name: str) -> float:
        """Return the least time of a contender."""
        return self.least[name]

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
        The time to spend on one comparison; five rounds are made even where they last longer, or three where each
        lasts a second.
    quick : bool
        Whether families may leave out what lasts long.
    batch : float
        The seconds that a contender runs at a time: long beside the clock, and beside a first run on cold caches.
    """

    seconds: float
    quick: bool
    batch: float = 1e-2


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
    warm = {name: _warmed(run) for name, run in contenders.items()}
    repeats = {name: max(1, math.ceil(effort.batch / max(once, 1e-7))) for name, once in warm.items()}
    fewest = _FEWEST if sum(repeats[name] * once for name, once in warm.items()) < _SLOW else _FEWEST_SLOW
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    least = dict.fromkeys(contenders, math.inf)
    names = list(contenders)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        start = perf_counter()
        for done in range(_MOST):
            if done >= fewest and perf_counter() - start > effort.seconds:
                break
            for name in names if done % 2 == 0 else reversed(names):
                factor = 1.0 if scale is None else scale.get(name, 1.0)
                mean, best = _timed(contenders[name], repeats[name], effort.batch)
                seconds[name].append(factor * mean)
                least[name] = min(least[name], factor * best)
    finally:
        if was_enabled:
            gc.enable()
    return Timings(seconds, least)


def _warmed(run: Callable[[], object]) -> float:
    """Return the seconds that a run takes once all that it needs is loaded."""
    first = _seconds(run, 1)
    return first if first >= _WARM else _seconds(run, 1)


def _timed(run: Callable[[], object], repeats: int, batch: float) -> tuple[float, float]:
    """Return the mean and the least of the seconds a run takes."""
    if repeats <= max(1.0, batch / _LONG):
        singles = [_seconds(run, 1) for _ in range(repeats)]
        return sum(singles) / repeats, min(singles)
    mean = _seconds(run, repeats) / repeats
    return mean, mean


def _seconds(run: Callable[[], object], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        run()
    return perf_counter() - start
