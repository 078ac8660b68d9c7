"""The command `check`: a gradient that lies in a module, checked at a point that lies in a file."""

import argparse
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from fastgrad._exit_codes import CANNOT, FINE, INCONCLUSIVE, MISMATCH

if TYPE_CHECKING:
    from fastgrad._result import GradientCheck

#: What the command returns for each verdict.
EXIT_CODES = {"passed": FINE, "failed": MISMATCH, "inconclusive": INCONCLUSIVE}


class UsageError(Exception):
    """What was asked for cannot be done; the message is for the user."""


def add_to(commands: Any) -> None:
    """Add the command to the command line's."""
    parser = commands.add_parser(
        "check",
        help="check the gradient of a function in a module of yours",
        description=(
            "Check a gradient. Returns 0 when it passed, 1 when it failed, 2 when it is inconclusive, and 3 when what "
            "was asked for cannot be done."
        ),
    )
    parser.add_argument("f", metavar="module:f", help="the function, as package.module:name; it takes x")
    parser.add_argument(
        "--grad",
        metavar="module:g",
        help="its gradient, a function of x, or an .npy or .npz file; without it f returns (value, gradient)",
    )
    parser.add_argument(
        "--at", metavar="FILE", type=Path, required=True, help="x: an array (.npy), or a dictionary of arrays (.npz)"
    )
    parser.add_argument("--mode", choices=("auto", "full", "search", "sample"), help="how entries are looked for")
    parser.add_argument("--budget", type=_budget, metavar="B", help='calls of f, or a time as "10 s"')
    parser.add_argument("--seed", type=int, metavar="N", help="what random directions are drawn from")
    parser.add_argument("--eps", type=_step, metavar="STEP", help="the step, a number, auto or noise")
    parser.add_argument("--atol", type=float, metavar="A", help="the absolute tolerance")
    parser.add_argument("--rtol", type=float, metavar="R", help="the relative tolerance")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report into this file as well")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Check what the command line names, print the report, and return the exit code."""
    try:
        check = _check(options)
        print(check.to_json() if options.json else check)
        if options.html:
            _write(check, options.html)
    except UsageError as error:
        print(f"python -m fastgrad check: {error}", file=sys.stderr)
        return CANNOT
    return EXIT_CODES[check.verdict]


def _check(options: argparse.Namespace) -> "GradientCheck":
    from fastgrad._check import gradient_check

    if sys.path[0] not in ("", str(Path.cwd())):
        sys.path.insert(0, str(Path.cwd()))
    f, x = _function(options.f), _loaded(options.at)
    further = {name: getattr(options, key) for name, key in (("mode", "mode"), ("budget", "budget"), ("rng", "seed"))}
    given = {name: value for name, value in further.items() if value is not None}
    claim = _claim(options.grad)
    try:
        return gradient_check(f, claim, x, options.eps, options.atol, rtol=options.rtol, **given)
    except Exception as error:
        if not _is_ours(error):
            traceback.print_exception(error)
            raise UsageError(f"the check of {options.f} ended with {type(error).__name__}, see above.") from error
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        raise UsageError(f"{error}{notes}") from error


def _is_ours(error: BaseException) -> bool:
    """Tell whether fastgrad itself raised it, or Python where it called f: the sentence then says all."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get("__name__", "").partition(".")[0] == "fastgrad"


def _claim(given: str | None) -> Any:
    if given is None:
        return True
    return _loaded(Path(given)) if given.endswith((".npy", ".npz")) else _function(given)


def _function(spec: str) -> Callable[..., Any]:
    """Return what a name like package.module:function stands for."""
    module_name, colon, name = spec.partition(":")
    if not (colon and name and all(part.isidentifier() for part in module_name.split("."))):
        raise UsageError(f"a function is named as package.module:function; got {spec!r}.")
    module = _module(module_name)
    try:
        found = attrgetter(name)(module)
    except AttributeError:
        there = ", ".join(sorted(key for key, value in vars(module).items() if callable(value) and key[0] != "_"))
        raise UsageError(f"{module_name} has no {name}; it has {there or 'nothing that can be called'}.") from None
    if not callable(found):
        raise UsageError(f"{spec} must be a function, and is of type {type(found).__name__}.")
    function: Callable[..., Any] = found
    return function


def _module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(f"there is no module {error.name}, neither in {Path.cwd()} nor installed.") from None
        raise UsageError(f"{name} could not be imported: {error}.") from error
    except (Exception, SystemExit) as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        raise UsageError(
            f"{name} could not be imported: {type(error).__name__}: {error} ({at.filename}, line {at.lineno})"
        ) from error


def _loaded(path: Path) -> Any:
    """Return the array in an .npy file, or the dictionary of arrays in an .npz file."""
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        with found:
            return {name: found[name] for name in found.files}
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}.") from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise UsageError(
            f"{path} must be an .npy or .npz file of numbers, as numpy.save writes them: {error}"
        ) from error


def _step(text: str) -> float | str:
    if text in ("auto", "noise"):
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a step is a number, auto or noise; got {text!r}") from None


def _budget(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _write(check: "GradientCheck", path: Path) -> None:
    try:
        check.to_html(path)
    except OSError as error:
        raise UsageError(f"the report could not be written: {error}") from error
