"""The kernels built for the widest registers of this processor, beside the same kernels built for the baseline."""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._levels import build, levels, load
from bench._limits import Limits
from bench._report import Figure, Row, at_least
from fastgrad import _backend, losses

TITLE = "Structured kernels in cache, at two widths of registers"
_FOLDER = Path(__file__).parents[1] / "build" / "levels"
_KERNELS = ("linear", "structured", "outer")
#: Rows and columns of the weights: these, what is read and what is written lie in a core's own cache together.
_M, _N = 96, 192
#: Rows of a first layer, whose weights are not read: as much is written as else is read and written.
_HIDDEN = 224


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each piece of work; none where there is one level, or nothing to build with."""
    if len(levels()) < 2 or not (find_spec("mesonbuild") and find_spec("ninja")):
        return
    narrow, wide = levels()[0], levels()[-1]
    modules = {}
    for level in (narrow, wide):
        folder = build(level, _KERNELS, _FOLDER)
        modules[level] = {name: load(name, level, folder) for name in _KERNELS}
    for work, (kernel, run) in _work().items():
        calls = _calls(kernel, run)
        times = interleave({level: partial(_replay, modules[level][kernel], calls) for level in (narrow, wide)}, effort)
        floor = at_least(1.8) if kernel != "outer" else None
        yield Row(work, times.best(wide), [Figure(f"{narrow} / {wide}", times.ratio(narrow, wide), floor)])


def _work() -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return what is to be measured: the kernel that it is about, and a call of the package that comes by it."""
    rng = np.random.default_rng(0)
    layer, net = fg.LinearLayer(_N, _M, rng=0), fg.TwoLayerNet(_N, _HIDDEN, 10, rng=0)
    x, scores = rng.standard_normal((1, _N)), np.eye(10)[:1]
    net.W1 *= np.sign(net.W1 @ x[0])[:, None]  # no unit is dead: the rows of those would be zeroed, and not measured
    square, other = losses.SquaredError(rng.standard_normal((1, _M))), losses.SquaredError(rng.standard_normal((1, 10)))
    out, g = np.empty((_M, _N)), rng.standard_normal(_M)

    def gradient(f: Any, W: Any) -> Callable[[], Any]:
        return lambda: fg.numerical_gradient(f, W)

    return {
        "dL/dW, L = Σy": ("linear", gradient(losses.LinearLoss(layer, x, loss="sum"), layer.W)),
        "dL/dW, L = ‖y − t‖²": ("linear", gradient(losses.LinearLoss(layer, x, loss=square), layer.W)),
        "dL/dW1, L = ‖y − t‖²": ("structured", gradient(losses.TwoLayerLoss(net, x, loss=other, wrt="W1"), net.W1)),
        "dL/dW1, L = cross-entropy": (
            "structured",
            gradient(losses.TwoLayerLoss(net, x, loss=losses.CrossEntropy(scores), wrt="W1"), net.W1),
        ),
        "outer product, `out=`": ("outer", lambda: fg.weight_gradient(g, x[0], out=out)),
    }


class _Recorder:
    """A kernel that notes how it was called."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def called(*arguments: Any) -> Any:
            self.calls.append((name, arguments))
            return getattr(self._module, name)(*arguments)

        return called


def _calls(kernel: str, run: Callable[[], Any]) -> list[tuple[str, tuple[Any, ...]]]:
    """Return how a call of the package calls one of its kernels."""
    installed = getattr(_backend, kernel)
    recorder = _Recorder(installed)
    setattr(_backend, kernel, recorder)
    try:
        run()
    finally:
        setattr(_backend, kernel, installed)
    if not recorder.calls:
        raise AssertionError(f"the kernel {kernel} was not called.")
    return recorder.calls


def _replay(module: ModuleType, calls: list[tuple[str, tuple[Any, ...]]]) -> None:
    for name, arguments in calls:
        getattr(module, name)(*arguments)
