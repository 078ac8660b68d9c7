"""The command `check`: its exit codes, what it prints, and the sentences for what cannot be done."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _check, _cli

MODULE = """
import numpy as np

NUMBER = 3

def f(x):
    return float(np.sum(x**2))

def g(x):
    return 2 * x

def wrong(x):
    return 2 * x + (np.arange(x.size) == 1)

def both(x):
    return f(x), g(x)

def rough(x):
    return np.round(f(x), 5)

def tree(p):
    return float(np.sum(p["W"] * 3) + p["b"] ** 2)

def tree_gradient(p):
    return {"b": 2 * p["b"], "W": np.full(p["W"].shape, 3.0)}

class Model:
    @staticmethod
    def f(x):
        return f(x)

def raises(x):
    return inner(x)

def inner(x):
    raise RuntimeError("no such luck")

def takes_two(x, y):
    return 0.0

def text(x):
    return "text"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of a name of its own, and a point."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / f"{name_of(tmp_path)}.py").write_text(MODULE)
    np.save(tmp_path / "x.npy", np.linspace(-1, 1, 7) / 3)
    np.savez(tmp_path / "p.npz", W=np.ones((2, 3)), b=np.float64(1.5))
    return tmp_path


def name_of(place: Path) -> str:
    return "m" + re.sub(r"\W", "_", place.name)


def check(place: Path, f: str, *arguments: str, grad: str | None = None, at: str = "x.npy") -> int:
    module = name_of(place)
    grads = [] if grad is None else ["--grad", grad if "." in grad else f"{module}:{grad}"]
    return _cli.main(["check", f"{module}:{f}", *grads, "--at", at, *arguments])


@pytest.mark.parametrize(
    ("f", "grad", "at", "code", "words"),
    [
        ("f", "g", "x.npy", 0, "gradient check passed: 7 entries"),
        ("f", "wrong", "x.npy", 1, "gradient check failed: 1 of 7 entries wrong"),
        ("rough", "g", "x.npy", 2, "gradient check inconclusive"),
        ("both", None, "x.npy", 0, "passed"),
        ("Model.f", "g", "x.npy", 0, "passed"),
        ("tree", "tree_gradient", "p.npz", 0, "gradient check passed: 7 entries"),
        ("f", "claim.npy", "x.npy", 1, "failed"),
    ],
)
def test_the_verdict_is_the_exit_code(
    place: Path, capsys: pytest.CaptureFixture[str], f: str, grad: str | None, at: str, code: int, words: str
) -> None:
    np.save("claim.npy", np.ones(7))
    assert check(place, f, grad=grad, at=at) == code
    captured = capsys.readouterr()
    assert words in captured.out
    assert captured.err == ""


def test_it_runs_as_a_command_with_modules_of_the_folder_it_is_called_in(place: Path) -> None:
    module = name_of(place)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "fastgrad", "check", f"{module}:f", "--grad", f"{module}:wrong", "--at", "x.npy"],
        capture_output=True, text=True, encoding="utf-8", cwd=place, env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "x[1]" in done.stdout
    assert done.stderr == ""


def test_options_reach_the_check(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    right = fg.gradient_check(lambda x: x**2, 6.0, 3.0)

    def gradient_check(f: Any, grad_f: Any, x: Any, *rest: Any, **options: Any) -> fg.GradientCheck:
        seen.append((*rest, options))
        return right

    monkeypatch.setattr(_check, "gradient_check", gradient_check)
    check(place, "f", grad="g")
    check(place, "f", *["--eps", "auto", "--atol", "1e-3", "--rtol", "0", "--mode", "search", "--seed", "5"], grad="g")
    check(place, "f", "--eps", "1e-4", "--budget", "300", grad="g")
    check(place, "f", "--budget", "10 s", grad="g")
    assert seen == [
        (None, None, {"rtol": None}),
        ("auto", 1e-3, {"rtol": 0.0, "mode": "search", "rng": 5}),
        (1e-4, None, {"rtol": None, "budget": 300}),
        (None, None, {"rtol": None, "budget": "10 s"}),
    ]


def test_json_is_all_that_is_printed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(place, "f", "--json", grad="wrong") == 1
    data = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (data["verdict"], data["wrong"]["indices"]) == ("failed", [1])


def test_html_is_written_beside_the_report(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(place, "f", "--html", "report.html", grad="wrong") == 1
    assert "gradient check failed" in capsys.readouterr().out
    assert "x[1]" in (place / "report.html").read_text(encoding="utf-8")
    assert check(place, "f", "--html", "missing/report.html", grad="g") == 3
    assert "the report could not be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("f", "grad", "at", "sentence"),
    [
        ("f", "g", "missing.npy", "there is no file missing.npy"),
        ("f", "g", "text.npy", "text.npy must be an .npy or .npz file of numbers"),
        ("f", "g", "objects.npy", "objects.npy must be an .npy or .npz file of numbers"),
        ("h", "g", "x.npy", "has no h; it has Model, both, f, g"),
        ("f", "h", "x.npy", "has no h; it has Model, both, f, g"),
        ("NUMBER", "g", "x.npy", "NUMBER must be a function, and is of type int"),
        ("f", "short.npy", "x.npy", "the claimed gradient has shape (3,), and x has (7,)"),
        ("f", None, "x.npy", "f must return (value, gradient)"),
        ("text", "g", "x.npy", "f must return a real scalar, but at x[0] plus its step it returned 'text'"),
        ("takes_two", "g", "x.npy", "missing 1 required positional argument: 'y' (fastgrad: f raised this when"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    place: Path, capsys: pytest.CaptureFixture[str], f: str, grad: str | None, at: str, sentence: str
) -> None:
    (place / "text.npy").write_text("1 2 3")
    np.save("objects.npy", np.array([None, {}]), allow_pickle=True)
    np.save("short.npy", np.ones(3))
    assert check(place, f, grad=grad, at=at) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.startswith("python -m fastgrad check: ")
    assert "Traceback" not in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import nowhere_at_all", "could not be imported: No module named 'nowhere_at_all'"),
        ("1 / 0", r"could not be imported: ZeroDivisionError: division by zero \(.*broken\.py, line 1\)"),
        ("raise SystemExit(5)", r"could not be imported: SystemExit: 5"),
        ("def f(:", r"could not be imported: SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_a_sentence(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, code: str, sentence: str
) -> None:
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    (place / "broken.py").write_text(code)
    assert _cli.main(["check", "broken:f", "--at", "x.npy"]) == 3
    assert re.search(sentence, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("nowhere:f", "there is no module nowhere, neither in "),
        ("nowhere.at.all:f", "there is no module nowhere, neither in "),
        ("f", "a function is named as package.module:function; got 'f'"),
        ("os:", "a function is named as"),
        ("./model:f", "a function is named as package.module:function; got './model:f'"),
    ],
)
def test_a_name_of_nothing_is_a_sentence(
    place: Path, capsys: pytest.CaptureFixture[str], spec: str, sentence: str
) -> None:
    assert _cli.main(["check", spec, "--at", "x.npy"]) == 3
    assert sentence in capsys.readouterr().err


def test_what_f_raises_is_shown_where_it_was_raised(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(place, "raises", grad="g") == 3
    error = capsys.readouterr().err
    assert "in inner" in error
    assert "RuntimeError: no such luck" in error
    assert error.endswith("ended with RuntimeError, see above.\n")


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "a:b"], ["check", "a:b", "--at", "x.npy", "--eps", "small"], ["chekc"]]
)
def test_arguments_that_are_none_are_usage_too(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        _cli.main(arguments)
    assert caught.value.code == 3
    error = capsys.readouterr().err
    assert "usage: python -m fastgrad" in error
    assert ("a step is a number, auto or noise; got 'small'" in error) == ("small" in arguments)
