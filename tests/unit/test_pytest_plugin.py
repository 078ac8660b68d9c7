"""The pytest plugin, as the tests of somebody else's package use it."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import fastgrad as fg

pytest_plugins = ["pytester"]

TESTS = """
import numpy as np

def squares(x):
    return float(np.sum(x**2))

def test_right(gradcheck):
    assert gradcheck(squares, lambda x: 2 * x, gradcheck.rng.standard_normal(5)).passed

def test_wrong(gradcheck):
    gradcheck(squares, lambda x: 2 * x, np.ones(2))
    x = gradcheck.rng.standard_normal(5)
    print("point", x.tolist())
    gradcheck(squares, lambda x: 2 * x + [0, 0, 1, 0, 0], x)

def test_unclear(gradcheck):
    x = np.linspace(-1, 1, 7) / 3
    gradcheck(lambda x: np.round(squares(x), 5), 2 * x, x)

def test_without():
    pass
"""


@pytest.fixture
def outside(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(TESTS)
    return pytester


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def replay_line(done: pytest.RunResult, test: str) -> list[str]:
    """Return what follows `pytest` in the line that replays a test."""
    (line,) = (line for line in done.outlines if re.match(rf"pytest \S*::{test}\b.* --gradcheck-replay ", line))
    return line.split()[1:]


def test_pytest_finds_it_by_its_entry_point() -> None:
    (found,) = (point for point in metadata.entry_points(group="pytest11") if point.value == "fastgrad_pytest")
    assert found.name == "fastgrad"


def test_a_run_without_the_fixture_loads_neither_fastgrad_nor_numpy(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure(config):\n"
        "    ours = {'fastgrad', 'numpy', 'fastgrad_pytest'}\n"
        "    print('LOADED', sorted(ours & {name.split('.')[0] for name in sys.modules}))\n"
    )
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", str(tmp_path)]
    for more, loaded in ((["-s"], "['fastgrad_pytest']"), (["-s", "-p", "no:fastgrad"], "[]")):
        done = subprocess.run([*command, *more], capture_output=True, text=True, cwd=tmp_path, check=True)
        assert f"LOADED {loaded}" in done.stdout


def test_the_fixture_asserts_and_the_summary_counts(outside: pytest.Pytester) -> None:
    done = run(outside)
    done.assert_outcomes(passed=2, failed=2)
    done.stdout.fnmatch_lines(
        [
            "E *GradientMismatch: gradient check failed: 1 of 5 entries wrong*",
            "E *InconclusiveError: gradient check in*",
        ]
    )
    done.stdout.no_fnmatch_line("*check.raise_if_failed()*")
    (line,) = (line for line in done.outlines if line.startswith("gradcheck: "))
    calls = int(re.search(r"(\d+) calls of f", line)[1])  # type: ignore[index]
    assert line.startswith("gradcheck: 4 checks (1 failed, 1 inconclusive), ")
    assert calls >= 2 * (5 + 2 + 5 + 7)


def test_no_line_where_nothing_was_checked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    assert "gradcheck" not in run(pytester).stdout.str()


def test_checks_of_other_fixtures_count_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def checked(gradcheck):
            gradcheck(lambda x: x**3, lambda x: 3 * x**2, 2.0)
            yield
            gradcheck(lambda x: x**3, lambda x: 4 * x**2, 2.0)

        def test_it(checked): pass
        """
    )
    done = run(pytester)
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["gradcheck: 2 checks (1 failed), *"])


def test_a_failure_leaves_a_file_and_the_line_that_replays_it(outside: pytest.Pytester) -> None:
    first = run(outside)
    assert len(list((outside.path / ".gradcheck").glob("*.npz"))) == 2
    assert (outside.path / ".gradcheck" / ".gitignore").read_text() == "*\n"
    again = run(outside, *replay_line(first, "test_wrong"))
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["gradcheck: replay of check 1 in *::test_wrong", "E *failed: 1 of 1 entry wrong*"])
    points = [re.search(r"point (\[.*\])", done.stdout.str())[1] for done in (first, again)]  # type: ignore[index]
    assert points[0] == points[1]
    assert run(outside, "-k", "test_wrong").stdout.str().count(points[0]) == 0  # by itself it is drawn anew


def test_a_replay_passes_once_the_gradient_is_right(outside: pytest.Pytester) -> None:
    line = replay_line(run(outside), "test_wrong")
    outside.makepyfile(TESTS.replace(" + [0, 0, 1, 0, 0]", ""))
    done = run(outside, *line)
    done.assert_outcomes(passed=1)


def test_a_replay_of_a_test_that_does_not_run_is_told_to_be_none(outside: pytest.Pytester) -> None:
    line = replay_line(run(outside), "test_wrong")
    line[0] = line[0].replace("test_wrong", "test_right")
    done = run(outside, "-q", *line)
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["gradcheck: nothing was replayed: the file is of *::test_wrong, which did not run"])


def test_a_replay_brings_the_point_back_where_the_test_draws_another(pytester: pytest.Pytester) -> None:
    test = """
        import numpy as np

        def test_it(gradcheck):
            x = np.random.default_rng().standard_normal(3)
            gradcheck(lambda x: float(np.sum(x**2)), CLAIM, x)
        """
    pytester.makepyfile(test.replace("CLAIM", "lambda x: 3 * x"))
    line = replay_line(run(pytester), "test_it")
    for _ in range(3):
        run(pytester, *line).assert_outcomes(failed=1)
    pytester.makepyfile(test.replace("CLAIM", "3 * x"))
    refused = run(pytester, *line)
    refused.assert_outcomes(failed=1)
    refused.stdout.fnmatch_lines(["E *ValueError: the replay file holds another point*"])


def test_a_failure_that_a_test_expects_leaves_no_file(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_it(gradcheck):
            with pytest.raises(AssertionError):
                gradcheck(lambda x: x**2, 1.0, 3.0)

        @pytest.mark.xfail
        def test_known(gradcheck):
            gradcheck(lambda x: x**2, 1.0, 3.0)
        """
    )
    done = run(pytester)
    done.assert_outcomes(passed=1, xfailed=1)
    done.stdout.fnmatch_lines(["gradcheck: 2 checks (2 failed), *"])
    assert not (pytester.path / ".gradcheck").exists()


def test_the_folder_can_be_chosen_and_one_that_cannot_be_made_is_no_crash(outside: pytest.Pytester) -> None:
    outside.makeini("[pytest]\ngradcheck_dir = build/failed\n")
    run(outside)
    assert len(list((outside.path / "build" / "failed").glob("*.npz"))) == 2
    outside.makeini("[pytest]\ngradcheck_dir = file/failed\n")
    (outside.path / "file").touch()
    done = run(outside)
    done.assert_outcomes(passed=2, failed=2)
    done.stdout.fnmatch_lines(["no file was left to replay this check: *"])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the plugin asks of gradient_check, without an answer of its own."""
    seen: list[dict[str, Any]] = []
    right = fg.gradient_check(lambda x: x**2, 6.0, 3.0)

    def gradient_check(
        f: Any, grad_f: Any, x: Any, eps: Any = None, atol: Any = None, **options: Any
    ) -> fg.GradientCheck:
        seen.append({"atol": atol, **options})
        return right

    monkeypatch.setattr(fg, "gradient_check", gradient_check)
    return seen


ASKING = """
def test_it(gradcheck):
    gradcheck(None, None, 3.0)
    gradcheck(None, None, 3.0, None, 0.5, rtol=0.25, mode="full", rng=1)
"""


def test_options_stand_in_for_what_a_test_does_not_say(pytester: pytest.Pytester, asked: list[dict[str, Any]]) -> None:
    pytester.makepyfile(ASKING)
    own = {"atol": 0.5, "rtol": 0.25, "mode": "full", "rng": 1}
    run(pytester)
    assert asked == [{"atol": None, "rtol": None}, {"atol": 0.5, "rtol": 0.25, "mode": "full", "rng": 1}]
    pytester.makeini("[pytest]\ngradcheck_atol = 1e-3\ngradcheck_mode = sample\ngradcheck_seed = 7\n")
    asked.clear()
    run(pytester)
    assert asked == [{"atol": 1e-3, "rtol": None, "mode": "sample", "rng": 7}, own]
    asked.clear()
    run(pytester, "--gradcheck-atol=1e-2", "--gradcheck-rtol=0", "--gradcheck-mode=search", "--gradcheck-seed=8")
    assert asked == [{"atol": 1e-2, "rtol": 0.0, "mode": "search", "rng": 8}, own]


def test_a_seed_makes_the_same_points_and_each_test_has_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("k", [0, 1])
        def test_it(gradcheck, k):
            print("drawn", gradcheck.rng.standard_normal())
        """
    )

    def drawn(*arguments: str) -> list[str]:
        return re.findall(r"drawn (\S+)", run(pytester, "-s", *arguments).stdout.str())

    first = drawn("--gradcheck-seed=3")
    assert len(set(first)) == 2
    assert drawn("--gradcheck-seed=3") == first
    assert not set(first) & set(drawn("--gradcheck-seed=4"))
    assert not set(drawn()) & set(drawn())


@pytest.mark.parametrize(
    ("ini", "arguments", "message"),
    [
        ("gradcheck_atol = little", (), "gradcheck_atol must be of type float; got 'little'"),
        ("", ("--gradcheck-replay=missing.npz",), "*missing.npz*"),
        ("", ("--gradcheck-replay=test_it.py",), "*test_it.py is no replay file*"),
    ],
)
def test_what_cannot_be_used_is_said(
    pytester: pytest.Pytester, ini: str, arguments: tuple[str, ...], message: str
) -> None:
    pytester.makepyfile(test_it="def test_it(): pass")
    pytester.makeini(f"[pytest]\n{ini}\n")
    done = run(pytester, *arguments)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*{message}*"])


def test_other_processes_report_too(outside: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    done = outside.runpytest_subprocess("-n", "2")
    done.assert_outcomes(passed=2, failed=2)
    done.stdout.fnmatch_lines(["gradcheck: 4 checks (1 failed, 1 inconclusive), *"])
    assert replay_line(done, "test_wrong")
