"""Random problems, solved by the kernels in a folder: python level_problems.py FOLDER RESULTS."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import fastgrad as fg
import fastgrad._kernels
from fastgrad import losses

#: The modules whose arithmetic the problems reach, and the one that tells how they were built.
KERNELS = [
    *("built", "compare", "descent", "differences", "linear", "masks", "native", "outer", "projection", "recurrence"),
    "structured",
]
DTYPES = (np.float64, np.float32)


def take_kernels_from(folder: Path) -> None:
    """Let all of fastgrad run on the kernels in a folder instead of the installed ones."""
    fastgrad._kernels.__path__.insert(0, str(folder))
    for name in KERNELS:
        path = import_module(f"fastgrad._kernels.{name}").__file__
        assert path is not None
        assert Path(path).parent == folder, f"{name} was loaded before the folder was named"


def differences(rng: np.random.Generator) -> dict[str, Any]:
    from fastgrad import cython_api  # not sooner: it loads kernels

    found = {}
    f = fg.native.function(cython_api.__pyx_capi__["rosenbrock"])
    for dtype in DTYPES:
        for n in (1, 9, 100):
            x = rng.standard_normal(n).astype(dtype)
            g = fg.native.vector_function(cython_api.__pyx_capi__["broyden"], n)
            for options in ({}, {"order": 4}, {"method": "forward", "order": 2}, {"eps": np.abs(x) + 0.1}):
                key = f"{np.dtype(dtype)} {n} {sorted(options)}"
                found[f"native gradient {key}"] = fg.numerical_gradient(f, x, **options)
                found[f"native Jacobian {key}"] = fg.numerical_jacobian(g, x, **options)
                found[f"gradient {key}"] = fg.numerical_gradient(_cubes, x, **options)
                found[f"Jacobian {key}"] = fg.numerical_jacobian(lambda x: x[::-1] * x, x, **options)
    return found


def _cubes(x: Any) -> float:
    return sum(float(value) ** 3 for value in x)


def layers(rng: np.random.Generator) -> dict[str, Any]:
    found = {}
    for dtype in DTYPES:
        for batch, n_in, n_hidden, n_out in ((1, 33, 17, 5), (3, 70, 31, 10)):
            net = fg.TwoLayerNet(n_in, n_hidden, n_out, rng=1)
            layer = fg.LinearLayer(n_in, n_out, rng=2)
            for part in (net, layer):
                for name, value in vars(part).items():
                    if isinstance(value, np.ndarray):
                        setattr(part, name, value.astype(dtype))
            x = rng.standard_normal((batch, n_in)).astype(dtype)
            targets = rng.standard_normal((batch, n_out))
            labels = np.eye(n_out)[rng.integers(0, n_out, batch)]
            for name, loss in {"sum": "sum", "squares": losses.SquaredError(targets),
                               "entropy": losses.CrossEntropy(labels)}.items():  # fmt: skip
                key = f"{np.dtype(dtype)} {batch} {name}"
                f = losses.LinearLoss(layer, x, loss=loss)
                found[f"linear {key}"] = fg.numerical_gradient(f, layer.W)
                for wrt in ("W1", "W2"):
                    two = losses.TwoLayerLoss(net, x, loss=loss, wrt=wrt)
                    found[f"net {wrt} {key}"] = fg.numerical_gradient(two, getattr(net, wrt), eps=None)
    return found


def products(rng: np.random.Generator) -> dict[str, Any]:
    found = {}
    outer = fastgrad._kernels.outer
    for dtype in DTYPES:
        for m, n in ((1, 1), (7, 9), (64, 65), (600, 1100)):
            g, x = rng.standard_normal(m).astype(dtype), rng.standard_normal(n).astype(dtype)
            key = f"{np.dtype(dtype)} {m} {n}"
            out = fg.weight_gradient(g, x)
            found[f"outer {key}"] = out.copy()
            fg.weight_gradient(g, x, out=out, accumulate=True)
            found[f"outer added {key}"] = out.copy()
            outer.masked_outer(g, rng.standard_normal(m).astype(dtype), x, out)
            found[f"outer masked {key}"] = out
    return found


def judgements(rng: np.random.Generator) -> dict[str, Any]:
    found = {}
    compare = fastgrad._kernels.compare
    for dtype in DTYPES:
        for n in (1, 33, 5000):
            x = rng.standard_normal(n).astype(dtype)
            claimed = x + (rng.random(n) < 0.1).astype(dtype)
            key, indices = f"{np.dtype(dtype)} {n}", np.full(n, -1, np.intp)
            found[f"compare {key}"] = np.array(compare.compare(claimed, x, 1e-6, 1e-5))
            compare.offenders(claimed, x, 1e-6, 1e-5, indices)
            found[f"offenders {key}"] = indices
    return found


def searches(rng: np.random.Generator) -> dict[str, Any]:
    """Directions, projections and moves of blocks: what they gave shows in the calls and the numbers of a search."""
    found = {}
    for dtype in DTYPES:
        for wrong in (0, 1, 4):
            x = rng.standard_normal(3000).astype(dtype)
            claimed = 3 * x**2
            claimed[rng.choice(x.size, wrong, replace=False)] += 5
            check = fg.gradient_check(lambda x: np.sum(x * x * x), claimed, x, mode="search", rng=1)
            numbers = (check.calls, check.max_error, check.resolution, check.resolution_norm, check.noise)
            found[f"search {np.dtype(dtype)} {wrong}"] = np.array(numbers, float)
            found[f"named {np.dtype(dtype)} {wrong}"] = np.array(check.wrong.indices)
    return found


def descents(rng: np.random.Generator) -> dict[str, Any]:
    found = {}
    for dtype in DTYPES:
        for n, p, steps in ((10, 3, 50), (70, 8, 30), (3000, 20, 100), (40, 33, 20)):
            A, b = rng.standard_normal((n, p)).astype(dtype), rng.standard_normal(n)
            done = fg.least_squares_gd(A, b, 0.4 / float(np.sum(A.astype(float) ** 2)), steps, ridge=0.1)
            found[f"losses {np.dtype(dtype)} {n} {p}"] = done.losses
    return found


if __name__ == "__main__":
    take_kernels_from(Path(sys.argv[1]))
    results: dict[str, Any] = {"level": np.array(fastgrad._kernels.built.level())}
    for number, problems in enumerate((differences, layers, products, judgements, searches, descents)):
        results |= problems(np.random.default_rng(number))
    np.savez(sys.argv[2], **results)
