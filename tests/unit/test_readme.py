"""Every code block of the README does what the README says."""

import contextlib
import io
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def test_python_blocks_print_the_text_that_follows_them() -> None:
    names: dict[str, Any] = {}
    compared = 0
    found = blocks()
    for (kind, code), (next_kind, output) in zip(found, [*found[1:], ("", "")], strict=True):
        if kind != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "README.md", "exec"), names)
        assert next_kind == "text"
        assert printed.getvalue() == output
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("target", re.findall(r"make ([\w-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_make_targets_exist(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_no_block_is_of_a_kind_that_nobody_runs() -> None:
    assert {kind for kind, _ in blocks()} <= {"python", "text", "sh"}
