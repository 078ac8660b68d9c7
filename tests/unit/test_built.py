"""What the kernels tell of how they were built."""

import re
from pathlib import Path

import pytest

from fastgrad._kernels import built

LEVELS = ("baseline", "x86-64-v3", "x86-64-v4")


def test_the_level_that_runs_is_one_that_was_built() -> None:
    assert built.level() in built.choices()
    assert built.choices() == LEVELS or (len(built.choices()) == 1 and built.choices()[0] in LEVELS)


@pytest.mark.skipif(len(built.choices()) == 1, reason="there is no choice")
def test_the_widest_level_of_the_processor_runs() -> None:
    """The system's own list of what the processor has says the same as the compiler's."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = set(next(line for line in lines if line.startswith("flags")).split())
    third = {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"} <= flags
    fourth = third and {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags
    assert built.level() == LEVELS[third + fourth]


def test_compiler_and_flags_are_those_of_the_build() -> None:
    assert re.fullmatch(r"[\w-]+ \d+(\.\d+)*\S*", built.compiler())
    assert "-ffp-contract=off" in built.flags() or not re.match("gcc|clang", built.compiler())
    alone = len(built.choices()) == 1
    assert ("-DFASTGRAD_ONE_LEVEL" in built.flags()) == alone
    assert (f"-march={built.level()}" in built.flags()) == (alone and built.level() != "baseline")
