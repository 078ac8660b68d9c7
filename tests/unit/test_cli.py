"""The command line; above all the demo, the real one, run once and read."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastgrad import _backend, _cli, _demo
from fastgrad._demo import digits, identities
from fastgrad._demo.page import WIDTH, Page, count, duration, two_digits
from fastgrad.layers import TwoLayerNet

NEEDED = {"sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "fastgrad", *arguments],
        capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=environment, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    for module in NEEDED:
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("demo")
    done = run("demo", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout, folder / "fastgrad-figures"


def test_demo_claims_measures_and_matches_every_identity(demo: tuple[str, Path]) -> None:
    text, _ = demo
    for function in (
        "aᵀx",
        "xᵀx",
        "xᵀAx",
        "‖x − a‖²",
        "‖Ax − b‖²",
        "‖Wx − b‖² by W",
        "‖WX − Y‖²_F by W",
        "cross-entropy",
    ):
        (line,) = re.findall(rf"^ +{re.escape(function)} .*$", text, re.MULTILINE)
        claimed, measured, difference = map(float, re.findall(r"-?\d+\.\d{10}|\d\.\de[-+]\d+", line))
        assert line.endswith("✓")
        assert abs(claimed - measured) < 1e-7
        assert difference < 1e-7
    assert "✗" not in text


def test_demo_checks_a_million_weights_and_says_how_it_knows(demo: tuple[str, Path]) -> None:
    text, _ = demo
    entries = "1 048 576" if _backend.NAME == "compiled" else "1 024"
    for weights in ("layer: W", "net: W1", "net: W2"):
        assert re.search(rf"^ +{weights} +{entries} .* \* .*✓$", text, re.MULTILINE)
    assert "uses structure" in text
    assert "* extrapolated:" in text


def test_demo_names_the_sabotaged_weight(demo: tuple[str, Path]) -> None:
    text, _ = demo
    assert len(re.findall(r"(before|after) training, W[12] .*passed ✓$", text, re.MULTILINE)) == 4
    assert "gradient check failed: 1 of 2048 entries wrong" in text
    sabotaged, named = re.findall(r"(?:Sabotaged: W1|W1 is x: x)(\[\d+, \d+\])", " ".join(text.split()))
    assert sabotaged == named


def test_demo_reaches_the_closed_form_and_names_what_diverges(demo: tuple[str, Path]) -> None:
    text, _ = demo
    closed, descent = (re.findall(rf"{name} +(\d\.\d+)", text)[0] for name in ("Aᵀb", "gradient descent"))
    assert closed == descent
    assert "diverged" in text


def test_demo_saves_the_four_figures_where_it_says(demo: tuple[str, Path]) -> None:
    text, folder = demo
    names = ["descent-field.png", "loss-curves.png", "loss-landscape.png", "weights.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    for name in names:
        content = (folder / name).read_bytes()
        assert content.startswith(b"\x89PNG\r\n")
        assert len(content) > 10_000
        assert name in text
    assert f"in {folder.resolve()}" in text


def test_demo_fits_a_terminal_and_uses_no_colour_in_a_pipe(demo: tuple[str, Path]) -> None:
    text, _ = demo
    assert max(len(line) for line in text.splitlines() if "fastgrad-figures" not in line) <= WIDTH == 100
    assert "\033" not in text


def test_a_claim_that_does_not_hold_is_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    right = identities.identities()
    monkeypatch.setattr(identities, "identities", lambda: [right[0], right[1]._replace(claimed=1.1 * right[1].claimed)])
    assert identities.tell(Page()) is False
    text = capsys.readouterr().out
    assert text.count("✓") == 1
    assert text.count("✗") == 1


def test_a_sabotage_that_is_not_found_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    images, labels = np.random.default_rng(0).random((20, 64)), np.arange(20) % 10
    net = TwoLayerNet(64, 8, 10, rng=0)
    assert digits.tell_sabotage(Page(), net, images, labels) is True
    honest = digits.check_one
    monkeypatch.setattr(
        digits, "check_one",
        lambda net, name, claimed, images, labels: honest(
            net, name, digits.gradients(net, images, labels)[name], images, labels
        ),
    )  # fmt: skip
    assert digits.tell_sabotage(Page(), net, images, labels) is False


def test_exit_code_tells_whether_all_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in NEEDED:
        pytest.importorskip(module)
    for held, code in ((True, 0), (False, 1)):
        monkeypatch.setattr(_demo, "run", lambda folder, held=held: held)
        assert _cli.main(["demo", "--figures", str(tmp_path)]) == code


def test_a_folder_that_cannot_be_made_is_told_before_the_story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in NEEDED:
        pytest.importorskip(module)
    (tmp_path / "file").touch()
    assert _cli.main(["demo", "--figures", str(tmp_path / "file")]) == 3
    captured = capsys.readouterr()
    assert "the folder for the figures cannot be made" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("module", NEEDED)
def test_a_missing_extra_is_named(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert _cli.main(["demo"]) == 3
    captured = capsys.readouterr()
    assert NEEDED[module] in captured.err
    assert "pip install 'fastgrad[demo]'" in captured.err
    assert captured.out == ""


def test_info_names_what_computes(tmp_path: Path) -> None:
    done = run("info", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert rows["Python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert list(rows) == ["fastgrad", "Python", "level", "compiler", "NumPy", "BLAS", "machine", "extras"]
    assert f"{_backend.NAME} backend" in rows["fastgrad"]
    assert rows["level"].startswith(_backend.built.level())
    assert rows["compiler"].startswith(_backend.built.compiler())
    assert re.search(r"threads?|THREADS=", rows["BLAS"])


def test_version_and_unknown_commands(tmp_path: Path) -> None:
    assert re.fullmatch(r"fastgrad \d+\.\d+\.\d+\S*\n", run("--version", cwd=tmp_path).stdout)
    done = run("nonsense", cwd=tmp_path)
    assert done.returncode == 3
    assert "nonsense" in done.stderr


def test_marks_are_words_where_signs_cannot_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, signs in (("ascii", ["WRONG", "ok"]), ("utf-8", ["✗", "✓"])):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        assert [Page().mark(held) for held in (False, True)] == signs


def test_figures_as_the_page_writes_them() -> None:
    assert [count(7), count(1048576)] == ["7", "1 048 576"]
    assert [two_digits(value) for value in (0.96, 1.26, 99.6, 27123.0)] == ["0.96", "1.3", "100", "27 000"]
    spans = (4e-7, 0.00012, 0.0123, 1.23, 301.0, 9000.0)
    assert [duration(seconds) for seconds in spans] == ["0.4 µs", "120 µs", "12 ms", "1.2 s", "5 min", "2.5 h"]
