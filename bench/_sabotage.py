"""The battery of bugs: which model has which, and what their diagnosis must say, where it can be told at all."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bench import _buggy, _buggy_deep
from bench._buggy import Model, Tree

Make = Callable[[np.random.Generator], Model]

MODELS: tuple[Make, ...] = (
    _buggy.linear,
    _buggy.square_linear,
    _buggy.relu_net,
    _buggy.tanh_net,
    _buggy.softmax_regression,
    _buggy.ridge,
    _buggy.near_the_optimum,
    _buggy_deep.convolution,
    _buggy_deep.layer_norm,
    _buggy_deep.attention,
    _buggy_deep.embedding,
    _buggy_deep.recurrent,
)

#: Parts of a diagnosis that say where, or of how many.
PLACE = re.compile(r"all of |x\[|row |column |each |make up |\d+ of ")
FACTOR_2_MISSING = "claimed = 0.5 × measured: a factor 2 is missing"
ROWS_FACTOR = "times a factor of its own"

#: What the diagnosis of each bug must hold: each of these parts of a sentence; nothing at all where it is empty. A bug
#: that only its place betrays is told by its place.
BUGS: dict[str, dict[str, tuple[str, ...]]] = {
    "linear": {
        "two forgotten": ("24 of 24 wrong entries", FACTOR_2_MISSING),
        "mean for sum": ("all of x", "a factor 6 is missing, as of a mean over 6"),
        "sign": ("all of x", "claimed = −measured: the sign is wrong"),
        "samples out of step": (),
        "outer product the wrong way round": ("18 of 18", "read as (5, 4) and transposed"),
        "summed before the product": (),
        "no bias": ('all of x["b"]', "claimed = 0"),
        "bias averaged": ('all of x["b"]', "as of a mean over 6"),
        "bias of the first sample": (),
        "bias summed over all": ('x["b"]', "the sum of what was measured", "one axis too many"),
    },
    "square_linear": {
        "W for its transpose": ('make up all of x["x"]',),
        "transposed": ("measured[i, j] = claimed[j, i]: the claim is transposed",),
        "bias over the wrong axis": ('x["b"]', "summed over the wrong axis"),
        "gradients swapped": ('measured at x["x"] claimed at x["W"]', "gradients of two leaves are swapped"),
    },
    "relu_net": {
        "labels off by one": (),
        "sum for mean": ("all of x", "a sum over 6 where f takes the mean"),
        "leaky mask": (),
        "mask forgotten": ('make up all of x["W1"] and x["b1"]',),
        "mask inverted": ('make up all of x["W1"] and x["b1"]',),
        "mask too wide": (),
        "before the relu": ('make up all of x["W2"]',),
        "W1 accumulated twice": ('all of x["W1"]', "claimed = 2 × measured", "accumulated twice"),
        "W2 cut off": ('all of x["W2"]', "claimed = 0"),
        "sign of b1": ('all of x["b1"]', "the sign is wrong"),
        "different in each": ('x["W1"]', "a factor 3 is missing", '4 of 4 wrong entries, all of x["b2"]', "sign"),
    },
    "tanh_net": {
        "square forgotten": ('each row of x["W1"]', ROWS_FACTOR, "an activation's derivative"),
        "no derivative": ('each row of x["W1"]', ROWS_FACTOR, "an activation's derivative"),
        "derivative of the sigmoid": ('each row of x["W1"]', ROWS_FACTOR),
        "before the tanh": ('each column of x["W2"]', ROWS_FACTOR),
        "one row zero": ('row 2 of x["W1"]', "claimed = 0"),
        "sign of one column": ('column 1 of x["W1"]', "the sign is wrong"),
        "shifted by one row": ("shifted by one along axis 0",),
        "shifted by one column": ("shifted by one along axis 1",),
        "block zero": ('x["W2"][0:2, 0:4]', "claimed = 0"),
        "half precision": ("consistent with rounding in half precision",),
    },
    "softmax_regression": {
        "softmax over samples": (),
        "label forgotten": (),
        "sum for mean": ("claimed = 6 × measured − 0.5 × x",),
        "classes shifted": (),
        "decay forgotten": ("measured − claimed = 0.1 × x", "λ = 0.05 in λ‖x‖²", "is missing"),
        "decay without its two": ("measured − claimed = 0.05 × x", "weight decay"),
        "decay twice": ("measured − claimed = −0.1 × x", "weight decay"),
        "data term twice": ("claimed = 2 × measured − 0.1 × x",),
    },
    "ridge": {
        "data averaged": (),
        "data halved": (),
        "decay forgotten": ("measured − claimed = 0.6 × x", "λ = 0.3 in λ‖x‖²"),
        "decay halved": ("measured − claimed = 0.3 × x",),
        "lasso forgotten": ("measured − claimed = 0.2 × sign(x)", "absolute penalty is missing"),
        "target forgotten": (),
        "clipped": ("claimed = ±3", "clipped"),
        "constant added": ("claimed − measured = 0.25", "a constant is added"),
        "norm clipped": ("× measured: a constant factor is wrong",),
        "NaN": ('the claim is NaN at x["w"][4] (1 of 12 entries)',),
        "infinite": ('the claim is infinite at x["w"][2] (1 of 12 entries)',),
        "wrong unit": ("claimed = 0.001 × measured",),
        "sign alone": ("the sign is taken for the value",),
        "indices mixed up": ("in another order: indices mixed up",),
        "absolute value": ("claimed = −measured",),
    },
    "near_the_optimum": {"computed in single precision": ("consistent with rounding in single precision",)},
    "convolution": {
        "first sample alone": (),
        "first position forgotten": (),
        "kernel flipped": ("reversed along axis 2", "convolution"),
        "axes mixed up": ("axes in the order (2, 1, 0)", "axes are mixed up"),
        "kernel shifted": ("shifted by one along axis 2",),
        "a channel forgotten": ('x["w"][:, 1]', "claimed = 0"),
        "averaged over positions": ('all of x["w"]', "a factor 7 is missing"),
        "bias of one position": (),
        "bias counted too often": ('all of x["b"]', "claimed = 7 × measured"),
    },
    "layer_norm": {
        "gain forgotten": ('make up all of x["x"]',),
        "mean not differentiated": ('make up all of x["x"]',),
        "variance not differentiated": ('make up all of x["x"]',),
        "deviation forgotten": ('each row of x["x"]', ROWS_FACTOR),
        "divided twice": ('each row of x["x"]', ROWS_FACTOR),
        "x not normalised": (),
        "gain averaged": ('all of x["gain"]', "a factor 3 is missing"),
        "offset averaged over features": ('x["offset"]', "the mean of what was measured over all entries"),
    },
    "attention": {
        "softmax's inner sum forgotten": ('make up all of x["Q"] and x["K"]',),
        "softmax's sum over the wrong axis": ('make up all of x["Q"] and x["K"]',),
        "scale forgotten": ('all of x["Q"] and x["K"]', "claimed = 2.23607 × measured"),
        "scale twice": ('all of x["Q"] and x["K"]', "claimed = 0.447214 × measured"),
        "mask that f has not": ('make up all of x["Q"] and x["K"]',),
        "scores not transposed": ('make up all of x["K"]',),
        "P not transposed": ('make up all of x["V"]',),
        "Q transposed": ("measured[i, j] = claimed[j, i]: the claim is transposed",),
        "Q and K swapped": ('measured at x["Q"] claimed at x["K"]', "swapped"),
    },
    "embedding": {
        "repeated words overwritten": ('make up rows 1 and 4 of x["E"]',),
        "words off by one": ("shifted by one along axis 0",),
        "averaged over words": ('each row of x["E"]', ROWS_FACTOR),
        "padding masked": ('row 0 of x["E"]', "claimed = 0"),
        "a word that is not there": ('make up row 3 of x["E"]',),
    },
    "recurrent": {
        "state of the step after": ('make up all of x["U"]',),
        "bias of the first step alone": ('make up all of x["b"]',),
        "one step back only": (),
        "U for its transpose": (),
    },
}


class Bug(NamedTuple):
    """A wrong claim, and what its diagnosis must say."""

    name: str
    f: Callable[[Tree], float]
    x: Tree
    right: Tree
    claim: Tree
    says: tuple[str, ...]

    def is_told_by(self, diagnosis: str) -> bool:
        """Tell whether a diagnosis says all of what it must, and nothing where there is nothing to say."""
        return all(part in diagnosis for part in self.says) and bool(diagnosis) == bool(self.says)

    def misleads(self, diagnosis: str) -> bool:
        """Tell whether a diagnosis names a cause that is not the bug's: to name a place, or none, is no cause."""
        causes = [part for part in self.says if not PLACE.match(part)]
        return bool(diagnosis) and "make up" not in diagnosis and not any(cause in diagnosis for cause in causes)


def battery(seed: int = 5) -> list[Bug]:
    """Return all bugs, in models drawn from a seed."""
    bugs = []
    for make in MODELS:
        f, x, backward = make(np.random.default_rng(seed))
        right = backward(frozenset())
        for name, says in BUGS[make.__name__].items():
            bugs.append(Bug(f"{make.__name__}: {name}", f, x, right, backward(frozenset({name})), says))
    return bugs
