"""The command line: what it takes, and which part of the package it asks."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import numpy as np

from fastgrad import _backend, _cli_bench, _cli_check
from fastgrad._blas import blas, told_threads
from fastgrad._exit_codes import CANNOT, FINE, MISMATCH

#: The distributions that the demo needs, by the module that each installs.
DEMO_NEEDS = {"sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the command; None reads `sys.argv`.

    Returns
    -------
    int
        0; 1 when the demo found a claim that does not hold, or a check failed; 2 when a check is inconclusive; 3 when
        what was asked for cannot be done, as where a package of an extra is missing. For arguments that it does not
        know, argparse leaves by SystemExit with that same 3.
    """
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without mathematical signs shows question marks
    if options.command == "check":
        return _cli_check.run(options)
    if options.command == "bench":
        return _cli_bench.run(options)
    return _demo(options.figures) if options.command == "demo" else _info()


class _Parser(argparse.ArgumentParser):
    """argparse's own, but 2 is what an inconclusive check returns: arguments that are none are 3."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(CANNOT, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m fastgrad", description="Numerical differentiation and gradient checking.")
    parser.add_argument("--version", action="version", version=f"fastgrad {metadata.version('fastgrad')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser(
        "demo", help="a tour on real data, in seconds", description="A tour of fastgrad on real data, in seconds."
    )
    demo.add_argument(
        "--figures",
        metavar="DIR",
        type=Path,
        default=Path("fastgrad-figures"),
        help="the folder for the figures; it is made where there is none (default: ./%(default)s)",
    )
    _cli_check.add_to(commands)
    _cli_bench.add_to(commands)
    commands.add_parser("info", help="versions and how this installation computes", description=_info.__doc__)
    return parser


def _demo(figures: Path) -> int:
    missing = [distribution for module, distribution in DEMO_NEEDS.items() if find_spec(module) is None]
    if missing:
        print(
            f"The demo needs {' and '.join(missing)}; install the extra: pip install 'fastgrad[demo]'.", file=sys.stderr
        )
        return CANNOT
    try:
        figures.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # told now, and not when all but the pictures is done
        print(f"python -m fastgrad demo: the folder for the figures cannot be made: {error}.", file=sys.stderr)
        return CANNOT
    from fastgrad import _demo as story

    return FINE if story.run(figures) else MISMATCH


def _info() -> int:
    """Print the versions and how this installation computes."""
    library, threads = blas()
    rows = {
        "fastgrad": f"{metadata.version('fastgrad')}, {_backend.NAME} backend",
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "level": _level(),
        "compiler": f"{_backend.built.compiler()}, {_backend.built.flags()}".rstrip(", "),
        "NumPy": np.__version__,
        "BLAS": f"{library}, {told_threads(threads)}",
        "machine": f"{platform.machine()}, {platform.system()}, {os.cpu_count()} processors",
        "extras": ", ".join(
            f"{name} {'present' if find_spec(module) else 'missing'}"
            for module, name in {
                **DEMO_NEEDS,
                "scipy": "SciPy",
                "tqdm": "tqdm",
                "joblib": "joblib",
                "distributed": "dask",
            }.items()
        ),
    }
    for name, value in rows.items():
        print(f"{name:<10}{value}")
    return FINE


def _level() -> str:
    """Return the width of registers that the kernels run at, and whether they had a choice."""
    running, choices = _backend.built.level(), _backend.built.choices()
    return f"{running}, the only one built" if len(choices) == 1 else f"{running}, of {', '.join(choices)}"
