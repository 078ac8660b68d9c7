"""Runs the benchmark family by family: prints Markdown, and keeps each family's figures under bench/results."""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from threadpoolctl import threadpool_limits

from bench import _results
from bench._harness import keep_memory
from bench._limits import Limits, build
from fastgrad._bench import machine
from fastgrad._bench.command import measured
from fastgrad._bench.record import Family
from fastgrad._bench.tables import markdown, markdown_figure
from fastgrad._bench.timing import Effort

#: The families, and the modules that each needs beside those of the dependency group `bench` that all need.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "opaque": (),
    "growth": (),
    "native": (),
    "stacks": (),
    "layers": (),
    "outer": (),
    "levels": ("mesonbuild", "ninja"),
    "least_squares": (),
    "coloring": ("scipy",),
    "jacobian": ("scipy",),
    "peers": ("scipy",),
    "numba": ("numba",),
    "torch": ("torch",),
    "jax": ("jax",),
    "progress": (),
    "workers": ("joblib",),
    "import": (),
}
#: Those that are measured again on all BLAS threads: matrix products take much of their time, or of their peers'.
_THREADED = ("layers", "outer", "least_squares", "peers")
_WHOLE, _QUICK = Effort(1.0, quick=False), Effort(0.1, quick=True)
_AGAIN = Effort(0.5, quick=True)  # on all BLAS threads
_HOW = (
    "Measured in turn, round after round. **Ratio of the minima** (median over the rounds); what was to be reached, "
    "and whether the minima do."
)


class _Round(NamedTuple):
    """A family, and the BLAS threads that it is measured on; the name under which that is kept."""

    family: str
    threads: int
    name: str


def main() -> int:
    """Return 0 if every floor is reached, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--only", action="append", choices=_FAMILIES, help="a family to run; may be repeated")
    parser.add_argument("--one-thread", action="store_true", help="leave out the rounds on all BLAS threads")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time; figures are rougher, and not kept")
    options = parser.parse_args()
    effort = _QUICK if options.quick else _WHOLE
    limits, here = build(), machine.hardware()
    keep_memory()
    print(f"{machine.told_hardware(here)}.\n\n{_HOW}\n", flush=True)
    missed: list[str] = []
    for one in _rounds(options.only or list(_FAMILIES), here["cores"], options.one_thread):
        absent = [module for module in _FAMILIES[one.family] if find_spec(module) is None]
        if absent:
            print(f"{one.family}: left out, {' and '.join(absent)} is not installed.\n", flush=True)
            continue
        family = _measured(one, limits, effort if one.threads == 1 or options.quick else _AGAIN)
        print(f"{markdown(family.title, family.rows)}\n\n{family.took} s.\n", flush=True)
        missed += [
            f"{row.work}: {figure.name} {markdown_figure(figure)}"
            for row in family.rows
            for figure in row.figures
            if figure.reached is False
        ]
        if not options.quick:
            path = _results.keep(here, one.name, family)
            print(f"Written: {os.path.relpath(path)}\n", flush=True)
    print("Every floor is reached." if not missed else "Missed:\n" + "\n".join(f"- {line}" for line in missed))
    return 1 if missed else 0


def _rounds(families: list[str], cores: int, only_one_thread: bool) -> Iterator[_Round]:
    for family in families:
        yield _Round(family, 1, family)
        if family in _THREADED and cores > 1 and not only_one_thread:
            yield _Round(family, cores, f"{family}, all BLAS threads")


def _measured(one: _Round, limits: Limits, effort: Effort) -> Family:
    """Measure a family; on more than one thread nothing was promised, so no floors stand there."""
    module = import_module(f"bench.bench_{one.family}")
    with threadpool_limits(one.threads, "blas"):
        rows = module.rows(limits, effort)
        if one.threads > 1:
            rows = (row.without_floors() for row in rows)
        family = measured(module.TITLE, rows, effort, machine.software(getattr(module, "BESIDE", ())))
    return family if one.threads == 1 else replace(family, title=f"{family.title}, {one.threads} BLAS threads")


if __name__ == "__main__":
    sys.exit(main())
