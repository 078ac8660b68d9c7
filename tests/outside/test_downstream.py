"""A package of somebody else's, built with setuptools, uses the installed fastgrad."""

import shutil
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import downstream
right, wrong = downstream.check(), downstream.check(0.5)
assert right.passed and not wrong.passed
print(wrong.worst.name, wrong.worst.claimed / wrong.worst.measured)
"""


def test_a_downstream_package_builds_and_checks_its_layer(tmp_path: Path) -> None:
    source = tmp_path / "downstream"
    shutil.copytree(Path(__file__).parent / "downstream", source)
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), str(source)], check=True, cwd=tmp_path)
    # an import hook of the checkout's, or the checkout itself, must not help: the program runs elsewhere
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{PROGRAM}"],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    name, ratio = run.stdout.split()
    assert name.startswith("x[")
    assert abs(float(ratio) - 0.5) < 1e-6
