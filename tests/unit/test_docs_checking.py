"""docs/checking.md as a session: its files are written, its commands run, and they print what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "checking.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# file: (\w+\.py)\n")


def run(command: str, folder: Path) -> str:
    """Run one line as a shell would, and return what it prints."""
    program, *arguments = shlex.split(command)
    modules = {"pytest": ["-m", "pytest", "-p", "no:cacheprovider"], "python": []}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COLUMNS"))}
    done = subprocess.run(
        [sys.executable, *modules[program], *arguments],
        capture_output=True, text=True, encoding="utf-8", cwd=folder, check=False,
        env=environment | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
    )  # fmt: skip
    return done.stdout + done.stderr


def missing(told: str, printed: str) -> list[str]:
    """Return the lines of a text that do not follow one another in what was printed; … stands for anything."""
    rest = iter(printed.splitlines())
    lost = []
    for line in filter(str.strip, told.splitlines()):
        pattern = ".*".join(r"\s+".join(map(re.escape, part.split(" "))) for part in line.split("…"))
        if not any(re.match(pattern, candidate) for candidate in rest):
            lost.append(line)
    return lost


def test_the_page_tells_what_happens(tmp_path: Path) -> None:
    printed, compared = "", 0
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        match kind:
            case "python":
                name = FILE.match(text)
                assert name, "each program of this page is a file"
                (tmp_path / name[1]).write_text(text, encoding="utf-8")
            case "sh":
                printed = "\n".join(run(command, tmp_path) for command in text.splitlines())
            case _:
                assert kind == "text"
                assert not missing(text, printed), printed
                compared += 1
    assert compared == 4
    assert (tmp_path / "report.html").exists()


def test_lines_that_are_missing_or_out_of_order_are_seen() -> None:
    assert missing("a …\nb\n", "a 1\nother\nb") == []
    assert missing("b\na\n", "a\nb") == ["a"]
    assert missing("a b\n", "a") == ["a b"]
