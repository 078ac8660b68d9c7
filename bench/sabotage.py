"""A table of the sabotage battery: bugs caught, wrong diagnoses, right gradients that pass, for each seed and mode."""

import argparse
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastgrad as fg
from bench._sabotage import MODELS, battery


@dataclass
class Score:
    """What became of one battery."""

    bugs: int = 0
    caught: int = 0
    diagnosed: int = 0
    right: int = 0
    misled: int = 0
    models: int = 0
    passed: int = 0


def score(seed: int, options: dict[str, Any]) -> Score:
    """Return what became of all bugs and all right gradients of one seed; options go to gradient_check."""
    found = Score()
    for bug in battery(seed):
        check = fg.gradient_check(bug.f, bug.claim, bug.x, **options)
        found.bugs += 1
        found.caught += check.verdict == "failed"
        found.diagnosed += bool(check.diagnosis)
        found.right += bug.is_told_by(check.diagnosis)
        found.misled += bug.misleads(check.diagnosis)
    for make in MODELS:
        f, x, backward = make(np.random.default_rng(seed))
        found.models += 1
        found.passed += fg.gradient_check(f, backward(frozenset()), x, **options).verdict == "passed"
    return found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.sabotage", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many batteries to draw")
    parser.add_argument("--mode", action="append", default=[], help="a mode of gradient_check; may be given again")
    given = parser.parse_args()
    print("| mode | bugs | caught | diagnosed | as expected | wrong diagnoses | models | right ones passed |")
    print("|---" * 8 + "|")
    for mode in given.mode or [""]:
        sums = [score(5 + k, {"mode": mode} if mode else {}) for k in range(given.seeds)]
        cells = [sum(getattr(one, name) for one in sums) for name in Score.__dataclass_fields__]
        print("| " + " | ".join([mode or "default", *map(str, cells)]) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
