"""The pytest plugin: the fixture `gradcheck`, its options, a line in the summary, and files that replay a failure.

It lies outside the package, and loads the package when a test asks for the fixture: other tests start as fast as ever.
"""

import re
import secrets
import shlex
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

if TYPE_CHECKING:
    import numpy as np

    from fastgrad import GradientCheck
    from fastgrad._replay import Replay
    from fastgrad._typing import ScalarFunction, Step

#: What can be asked for, on the command line and in the configuration: the name, its type, and what it means.
OPTIONS: tuple[tuple[str, type, str], ...] = (
    ("atol", float, "absolute tolerance of gradient checks whose test gives none"),
    ("rtol", float, "relative tolerance of gradient checks whose test gives none"),
    ("mode", str, "mode of gradient checks whose test gives none: auto, full, search or sample"),
    ("seed", int, "seed of gradient checks, and of gradcheck.rng"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options."""
    group = parser.getgroup("gradcheck", "gradient checks (fastgrad)")
    for name, kind, meaning in OPTIONS:
        group.addoption(f"--gradcheck-{name}", type=kind, default=None, metavar=name.upper(), help=meaning)
        parser.addini(f"gradcheck_{name}", meaning)
    group.addoption(
        "--gradcheck-replay",
        metavar="FILE",
        default=None,
        help="repeat the check that left this file, at its point, in its entries, from its seed",
    )
    parser.addini("gradcheck_dir", "folder for the files that replay failed checks, in rootdir", default=".gradcheck")


@dataclass
class Settings:
    """What was asked for, for a whole run."""

    defaults: dict[str, Any]
    folder: Path
    start: Path
    replay_path: Path | None
    fresh_seed: int = field(default_factory=lambda: secrets.randbits(32))

    @cached_property
    def replay(self) -> "Replay | None":
        """What the file to be replayed holds."""
        if self.replay_path is None:
            return None
        from fastgrad._replay import Replay

        try:
            return Replay.load(self.replay_path)
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"--gradcheck-replay: {error}") from error


@dataclass
class Record:
    """What the checks of one test came to, in the phase that runs; of those that did not pass, the last."""

    done: list[dict[str, Any]] = field(default_factory=list)
    failure: "Replay | None" = None


SETTINGS = pytest.StashKey[Settings]()
RECORD = pytest.StashKey[Record]()


def pytest_configure(config: pytest.Config) -> None:
    """Read the options, the command line's before the configuration's."""
    defaults = {}
    for name, kind, _ in OPTIONS:
        given = config.getoption(f"gradcheck_{name}")
        if given is None and (text := config.getini(f"gradcheck_{name}")):
            try:
                given = kind(text)
            except ValueError:
                raise pytest.UsageError(f"gradcheck_{name} must be of type {kind.__name__}; got {text!r}.") from None
        if given is not None:
            defaults[name] = given
    start, path = config.invocation_params.dir, config.getoption("gradcheck_replay")
    folder = config.rootpath / config.getini("gradcheck_dir")
    config.stash[SETTINGS] = Settings(defaults, folder, start, start / path if path else None)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is replayed, if anything is."""
    replay = config.stash[SETTINGS].replay
    return None if replay is None else f"gradcheck: replay of check {replay.call} in {replay.test}"


class GradCheck:
    """`fastgrad.gradient_check` as a test wants it: it asserts, and leaves a trace of what it did.

    It takes the same arguments, returns a check that passed, and raises `fastgrad.GradientMismatch` or
    `fastgrad.InconclusiveError` for any other, with the report as the message.
    """

    def __init__(self, settings: Settings, record: Record, test: str) -> None:
        self._settings = settings
        self._record = record
        self._test = test
        self._calls = 0

    @property
    def _replay(self) -> "Replay | None":
        replay = self._settings.replay
        return replay if replay is not None and replay.test == self._test else None

    @cached_property
    def _test_seed(self) -> int:
        if self._replay is not None:
            return self._replay.test_seed
        seed: int = self._settings.defaults.get("seed", self._settings.fresh_seed)
        return abs(seed) << 32 | crc32(self._test.encode())

    @cached_property
    def rng(self) -> "np.random.Generator":
        """A generator of this test's own for points and weights; a replay gives the same numbers again."""
        import numpy as np

        return np.random.default_rng(self._test_seed)

    def __call__(
        self,
        f: "ScalarFunction",
        grad_f: Any,
        x: Any,
        eps: "Step" = None,
        atol: float | None = None,
        *,
        rtol: float | None = None,
        **options: Any,
    ) -> "GradientCheck":
        """Check, record, and assert."""
        __tracebackhide__ = True
        import fastgrad as fg
        from fastgrad._replay import Replay

        call, self._calls = self._calls, self._calls + 1
        defaults = self._settings.defaults
        atol = defaults.get("atol") if atol is None else atol
        rtol = defaults.get("rtol") if rtol is None else rtol
        for name, option in (("mode", "mode"), ("rng", "seed")):
            if option in defaults:
                options.setdefault(name, defaults[option])
        replay = self._replay
        if replay is not None and replay.call == call:
            x, options = _replayed(replay, grad_f, x, options)
        check = fg.gradient_check(f, grad_f, x, eps, atol, rtol=rtol, **options)
        self._record.done.append({"verdict": check.verdict, "calls": check.calls, "resolution": check.resolution})
        if not check.passed and replay is None:
            self._record.failure = Replay.of(check, x, self._test, call, self._test_seed)
        check.raise_if_failed()
        return check


def _replayed(replay: "Replay", grad_f: Any, x: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the point of a replay and the options of its check: the entries that were wrong, or else its seed."""
    if grad_f is not True and not callable(grad_f) and not replay.is_at(x):
        raise ValueError(
            "the replay file holds another point than this test gives, and the claim is an array, which is right at "
            "one point only: let grad_f be a function of x, or draw x from gradcheck.rng."
        )
    if replay.entries.size:
        options = {name: value for name, value in options.items() if name not in ("mode", "budget")}
        return replay.at(x), options | {"indices": replay.entries}
    return replay.at(x), options | ({} if replay.seed is None else {"rng": replay.seed})


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> GradCheck:
    """Check a gradient as fastgrad.gradient_check does, and assert that it is right."""
    record = request.node.stash.setdefault(RECORD, Record())
    return GradCheck(request.config.stash[SETTINGS], record, request.node.nodeid)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Hand what the checks came to on with the report, which reaches the summary from other processes, too."""
    outcome: Any = yield
    record = item.stash.get(RECORD, None)
    if record is None:
        return
    report: pytest.TestReport = outcome.get_result()
    report.gradchecks = record.done  # type: ignore[attr-defined]  # a report takes further attributes along
    if report.failed and record.failure is not None:
        report.sections.append(("replay of the gradient check", _kept(record.failure, item)))
    record.done, record.failure = [], None


def _kept(failure: "Replay", item: pytest.Item) -> str:
    """Write the file of a failure, and return the line that replays it."""
    settings = item.config.stash[SETTINGS]
    name = re.sub(r"[^\w.-]+", "-", item.nodeid).strip("-")[-100:]
    path = settings.folder / f"{name}-{crc32(item.nodeid.encode()):08x}-{failure.call}.npz"
    try:
        _make_folder(settings.folder)
        failure.save(path)
    except OSError as error:
        return f"no file was left to replay this check: {error}"
    shown = path.relative_to(settings.start) if path.is_relative_to(settings.start) else path
    config: Any = item.config  # what it takes and returns here is typed as text by some versions of pytest only
    test = str(config.cwd_relative_nodeid(item.nodeid))
    return f"pytest {shlex.quote(test)} --gradcheck-replay {shlex.quote(str(shown))}"


def _make_folder(folder: Path) -> None:
    """Make the folder of replay files where there is none, and keep it from being committed."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="ascii")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in one line what was checked, and whether a replay that was asked for came to nothing."""
    reports = [report for several in terminalreporter.stats.values() for report in several]
    settings = terminalreporter.config.stash[SETTINGS]
    with suppress(pytest.UsageError):  # which the tests that wanted the file have told already
        if settings.replay and all(getattr(report, "nodeid", "") != settings.replay.test for report in reports):
            terminalreporter.write_line(
                f"gradcheck: nothing was replayed: the file is of {settings.replay.test}, which did not run"
            )
    done = [check for report in reports for check in getattr(report, "gradchecks", ())]
    if done:
        terminalreporter.write_line(_summary(done))


def _summary(done: list[dict[str, Any]]) -> str:
    counts = [(sum(check["verdict"] == verdict for check in done), verdict) for verdict in ("failed", "inconclusive")]
    bad = ", ".join(f"{count} {verdict}" for count, verdict in counts if count)
    calls = sum(check["calls"] for check in done)
    line = f"gradcheck: {len(done)} check{'s' * (len(done) != 1)}{f' ({bad})' * bool(bad)}, {calls} calls of f"
    known = [check["resolution"] for check in done if check["resolution"] == check["resolution"]]
    if not known:
        return line
    return f"{line}, resolution {min(known):.2g} (finest) to {max(known):.2g} (coarsest)"
