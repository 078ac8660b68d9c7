"""The command `bench`: how fast this installation is here, beside the plain loops and the limits."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastgrad import _backend
from fastgrad._errors import missing_extra
from fastgrad._exit_codes import CANNOT, FINE

#: The endings of the files that a picture is written into.
_PICTURES = (".pdf", ".png", ".svg")


def add_to(commands: Any) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "bench",
        help="how fast this installation is on this machine, in about two minutes",
        description=(
            "Measure gradients, layers, least squares and, where SciPy is installed, sparse Jacobians, each in turn "
            "with the plain NumPy loop and with what nothing can undercut. Takes about two minutes."
        ),
    )
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rougher figures, in about 20 seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures and the machine into this file")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw time against n into this file, .png, .svg or .pdf (extra plot)"
    )


def run(options: argparse.Namespace) -> int:
    """Measure, print each family as it ends, write what was asked for, and return the exit code."""
    if reason := _why_not(options):
        print(f"python -m fastgrad bench: {reason}", file=sys.stderr)
        return CANNOT
    from fastgrad._bench import command

    record = command.run(command.QUICK if options.quick else command.WHOLE, lambda text: print(text, flush=True))
    if options.json:
        record.write(options.json)
        print(f"Written: {options.json}")
    if options.plot:
        from fastgrad._bench import machine, picture

        rows = [row for family in record.families.values() for row in family.rows]
        picture.draw(rows, f"Time against n; {machine.told_hardware(record.machine)}").savefig(options.plot, dpi=150)
        print(f"Written: {options.plot}")
    return FINE


def _why_not(options: argparse.Namespace) -> str | None:
    """Return why the command cannot do what is asked, before minutes are spent on measuring."""
    if _backend.NAME != "compiled":
        return (
            f"FASTGRAD_BACKEND={_backend.NAME} runs the plain NumPy loops, and would be compared with itself; unset it."
        )
    for file in filter(None, (options.json, options.plot)):
        if file.is_dir() or not file.parent.is_dir():
            return f"{file} cannot be written: give a file in a folder that exists."
    if options.plot and options.plot.suffix not in _PICTURES:
        return (
            f"{options.plot.name} is no picture: its name must end in {', '.join(_PICTURES[:-1])} or {_PICTURES[-1]}."
        )
    if options.plot and find_spec("matplotlib") is None:
        return str(missing_extra("a plot", "matplotlib", "plot"))
    return None
