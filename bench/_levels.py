"""Builds kernels for one width of registers alone, as the package's own build does, beside the installed ones."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib import machinery, util
from pathlib import Path
from types import ModuleType

from fastgrad._kernels import built

_ROOT = Path(__file__).parents[1]
_ALL = ("baseline", "x86-64-v3", "x86-64-v4")


def levels() -> tuple[str, ...]:
    """Return the levels that this processor has, up to what the installed kernels chose; none if they had none."""
    return _ALL[: _ALL.index(built.level()) + 1] if built.choices() == _ALL else ()


def build(level: str, names: Sequence[str], folder: Path) -> Path:
    """Build the kernels of these names for a level and return the folder that they are in.

    Needs Cython, meson and ninja. The folder is for all levels: what is the same for them is made once.
    """
    import ninja

    work, tools, done = folder / "build", folder / "tools.ini", folder / level
    done.mkdir(parents=True, exist_ok=True)
    tools.write_text(f"[binaries]\ncython = [{sys.executable!r}, '-m', 'cython']\n")
    ninja_path = shutil.which("ninja", path=ninja.BIN_DIR) or "ninja"
    meson, option = [sys.executable, "-m", "mesonbuild.mesonmain"], f"-Dlevel={level}"
    if (work / "build.ninja").exists():
        _run([*meson, "configure", option, str(work)], ninja_path)
    else:
        _run([*meson, "setup", "--native-file", str(tools), option, str(work), str(_ROOT)], ninja_path)
    files = [f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}" for name in names]
    _run([ninja_path, "-C", str(work), *(f"src/fastgrad/{file}" for file in files)], ninja_path)
    for file in files:
        shutil.copy(work / "src" / "fastgrad" / file, done)
    return done


def load(name: str, level: str, folder: Path) -> ModuleType:
    """Return the kernel of this name in a folder, loaded beside its namesakes."""
    path = folder / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    loader = machinery.ExtensionFileLoader(f"{level}.{name}", str(path))
    spec = util.spec_from_file_location(f"{level}.{name}", path, loader=loader)
    assert spec is not None
    module = util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _run(command: Sequence[str], ninja_path: str) -> None:
    environment = os.environ | {"NINJA": ninja_path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")
