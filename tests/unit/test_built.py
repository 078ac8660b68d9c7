"""What the kernels tell of how they were built."""

import platform
import re

from fastgrad._kernels import built

LEVELS = ("baseline", "x86-64-v3", "x86-64-v4")


def test_the_level_that_runs_is_one_that_was_built() -> None:
    assert built.level() in built.choices()
    assert built.choices() == LEVELS or (len(built.choices()) == 1 and built.choices()[0] in LEVELS)


def test_registers_wider_than_the_processor_s_are_not_taken() -> None:
    if platform.machine() not in ("x86_64", "AMD64"):
        assert built.level() == "baseline"


def test_compiler_and_flags_are_those_of_the_build() -> None:
    assert re.fullmatch(r"[\w-]+ \d+(\.\d+)*\S*", built.compiler())
    assert "-ffp-contract=off" in built.flags() or not re.match("gcc|clang", built.compiler())
    alone = len(built.choices()) == 1
    assert ("-DFASTGRAD_ONE_LEVEL" in built.flags()) == alone
    assert (f"-march={built.level()}" in built.flags()) == (alone and built.level() != "baseline")
