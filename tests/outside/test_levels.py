"""Every width of registers that this processor has gives the same bits: kernels built for one level alone are compared."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrad._kernels
from fastgrad._kernels import built
from tests.outside import level_problems

pytest.importorskip("mesonbuild")
pytest.importorskip("ninja")
pytest.importorskip("Cython")

ROOT = Path(__file__).parents[2]
NAMES = ("baseline", "x86-64-v3", "x86-64-v4")
#: What a processor can run: all up to the level that the installed kernels chose.
LEVELS = NAMES[: NAMES.index(built.level()) + 1]

if len(built.choices()) == 1:
    pytest.skip("the installed kernels have one level", allow_module_level=True)


def results(kernels: Path, folder: Path) -> dict[str, Any]:
    path = folder / "results.npz"
    subprocess.run([sys.executable, str(level_problems.__file__), str(kernels), str(path)], check=True, cwd=folder)
    with np.load(path) as found:
        return dict(found)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the installed kernels find, at the level of their choice."""
    return results(Path(fastgrad._kernels.__path__[0]), tmp_path_factory.mktemp("chosen"))


def build(level: str, folder: Path) -> Path:
    """Build the kernels concerned for one level, as the package's own build does, and return where they are."""
    import ninja

    tools = folder / "tools.ini"
    tools.write_text(f"[binaries]\ncython = [{sys.executable!r}, '-m', 'cython']\n")
    ninja_path = str(Path(ninja.BIN_DIR) / ("ninja.exe" if os.name == "nt" else "ninja"))
    environment = os.environ | {"NINJA": ninja_path}
    setup = [sys.executable, "-m", "mesonbuild.mesonmain", "setup", "--native-file", str(tools), f"-Dlevel={level}"]
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    targets = [f"src/fastgrad/{name}{suffix}" for name in level_problems.KERNELS]
    for command in ([*setup, str(folder / "build"), str(ROOT)], [ninja_path, "-C", str(folder / "build"), *targets]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "src" / "fastgrad"


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_changes_no_bit(level: str, tmp_path: Path, chosen: dict[str, Any]) -> None:
    found = results(build(level, tmp_path), tmp_path)
    assert found.pop("level") == level
    expected = {name: value for name, value in chosen.items() if name != "level"}
    assert found.keys() == expected.keys()
    for name, value in found.items():
        if name.startswith("losses"):
            np.testing.assert_array_max_ulp(value, expected[name], 4)
        else:
            assert value.tobytes() == expected[name].tobytes(), name
