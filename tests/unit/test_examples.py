"""Every example runs as it stands, and says what it is meant to show."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAYS = {
    "check_a_layer.py": ["layer check passed: 3 gradients", "x         (7, 5)  passed", "W         (3, 5)  passed"],
    "find_the_wrong_entry.py": ["failed: 1 of 30 entries wrong", "x[29]", "entry 29 is the last of 30"],
    "least_squares.py": ["closed form", "gradient check passed: 2 entries"],
}


def test_every_example_is_named_here() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_example(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    for text in SAYS[name]:
        assert text in done.stdout
    assert len((EXAMPLES / name).read_text(encoding="utf-8").splitlines()) <= 40


def test_least_squares_agrees_with_the_closed_form() -> None:
    done = subprocess.run([sys.executable, EXAMPLES / "least_squares.py"], capture_output=True, text=True, check=True)
    descent, closed = (line[13:] for line in done.stdout.splitlines()[:2])
    assert descent == closed
