"""Each width of registers that this processor has gives the same bits: kernels built for it alone are compared."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrad._kernels
from bench._levels import build, levels
from tests.outside import level_problems

for needed in ("mesonbuild", "ninja", "Cython"):
    pytest.importorskip(needed)
if not levels():
    pytest.skip("the installed kernels have one level", allow_module_level=True)


def results(kernels: Path, folder: Path) -> dict[str, Any]:
    path = folder / "results.npz"
    subprocess.run([sys.executable, str(level_problems.__file__), str(kernels), str(path)], check=True, cwd=folder)
    with np.load(path) as found:
        return dict(found)


def test_a_level_changes_no_bit(tmp_path: Path) -> None:
    chosen = results(Path(fastgrad._kernels.__path__[0]), tmp_path)
    assert chosen.pop("level") == levels()[-1]
    for level in levels():
        found = results(build(level, level_problems.KERNELS, tmp_path), tmp_path)
        assert found.pop("level") == level
        assert found.keys() == chosen.keys()
        for name, value in found.items():
            if name.startswith("losses"):
                np.testing.assert_array_max_ulp(value, chosen[name], 4)
            else:
                assert value.tobytes() == chosen[name].tobytes(), f"{name}, {level}"
