"""The programs of docs/native.md run, each by itself, and print what it says."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "native.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_prints_what_the_page_says(program: str, printed: str, tmp_path: Path) -> None:
    for module in re.findall(r"^(?:import|from) (\w+)", program, re.MULTILINE):
        if find_spec(module) is None:
            pytest.skip(f"there is no {module}")
    if '"cc"' in program and shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stdout == printed, run.stderr


def test_every_program_is_found() -> None:
    assert len(PROGRAMS) == PAGE.count("```python") == 3
