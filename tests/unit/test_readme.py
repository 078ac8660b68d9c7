"""Every code block of the README, and of the pages beside it, does what the page says."""

import contextlib
import io
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "docs/accuracy.md",
    "docs/layers.md",
    "docs/least_squares.md",
    "docs/parallel.md",
    "docs/sparse.md",
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")
#: Below this a number is rounding, which another BLAS does in another way.
ROUNDING = 1e-6


def same_text(a: str, b: str) -> bool:
    """Tell whether two texts have the same words, and the same numbers but for what rounding may change."""
    if NUMBER.sub("#", " ".join(a.split())) != NUMBER.sub("#", " ".join(b.split())):
        return False
    pairs = zip(map(float, NUMBER.findall(a)), map(float, NUMBER.findall(b)), strict=True)
    return all(abs(p - q) <= ROUNDING * max(1, abs(p), abs(q)) for p, q in pairs)


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_print_the_text_that_follows_them(page: str) -> None:
    names: dict[str, Any] = {}
    compared = 0
    found = blocks(page)
    for (kind, code), (next_kind, output) in zip(found, [*found[1:], ("", "")], strict=True):
        if kind != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page, "exec"), names)
        assert next_kind == "text"
        assert same_text(printed.getvalue(), output), printed.getvalue()
        compared += 1
    assert compared >= 3


#: Where a file that a page names by its path may lie.
FOLDERS = [ROOT, ROOT / "src" / "fastgrad"]
PATH = re.compile(r"`([\w./]+\.(?:py|pyx|pxd|md)|[\w/]+/)`|\]\(([\w./]+\.md)\)")


@pytest.mark.parametrize("page", ["README.md", *(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md"))])
def test_files_and_modules_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = [one or other for one, other in PATH.findall(text)]
    folders = [*FOLDERS, (ROOT / page).parent]
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []
    modules = re.findall(r"python -m (bench[.\w]*)", text)
    assert [name for name in modules if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []
    if page == "README.md":
        assert len(named) > 30


@pytest.mark.parametrize("target", re.findall(r"make ([\w-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_make_targets_exist(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_texts_that_differ_are_told_apart() -> None:
    assert same_text("x[1]  2.0  1e-09", "x[1]  2.0000001   3e-08")
    assert not same_text("x[1] 2.0", "x[2] 2.0")
    assert not same_text("passed 2.0", "failed 2.0")
    assert not same_text("2.0 3.0", "2.0")


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_of_a_kind_that_nobody_runs(page: str) -> None:
    assert {kind for kind, _ in blocks(page)} <= {"python", "text", "sh"}
