"""A result as dictionary, JSON, pickle, HTML, picture and text: the same data in each."""

import json
import pickle
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._report.pictured import error_map
from fastgrad._tree import Leaf

pytest.importorskip("matplotlib").use("Agg")

X = np.linspace(-2.0, 2.0, 24).reshape(4, 6)


def f(x: Any) -> float:
    return float(np.sum(x**2))


def failed() -> fg.GradientCheck:
    claim = 2 * X
    claim[2, 3], claim[0, 1] = 9.0, np.nan
    return fg.gradient_check(f, claim, X)


def kinked() -> fg.GradientCheck:
    return fg.gradient_check(lambda x: np.sum(np.abs(x)), [0.3, 1.0, 2.0], [0.0, 1.0, 2.0])


def in_a_tree() -> fg.GradientCheck:
    x = {"W": X, '<b> & "c"': np.ones(3)}
    return fg.gradient_check(lambda p: f(p["W"]) + f(p['<b> & "c"']), {"W": X, '<b> & "c"': 2 * np.ones(3)}, x)


CASES: dict[str, Callable[[], fg.GradientCheck]] = {
    "passed": lambda: fg.gradient_check(f, 2 * X, X),
    "failed": failed,
    "kinked": kinked,
    "tree": in_a_tree,
    "number": lambda: fg.gradient_check(f, 7.0, 3.0),
    "empty": lambda: fg.gradient_check(f, [], []),
    "inconclusive": lambda: fg.gradient_check(lambda x: np.round(f(x), 5), 2 * X, X),
    "float32": lambda: fg.gradient_check(f, np.ones(3, np.float32), np.ones(3, np.float32)),
    "infinite": lambda: fg.gradient_check(f, [np.inf, 2.0], [1.0, 1.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_json_is_strict_and_comes_back(name: str) -> None:
    check = CASES[name]()

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    data = json.loads(check.to_json(), parse_constant=refuse)
    again = fg.GradientCheck.from_dict(data)
    assert again.to_json() == check.to_json()
    assert str(again) == str(check)
    assert again._repr_html_() == check._repr_html_()
    assert again.wrong.indices.dtype == np.intp
    assert data["passed"] == check.passed
    assert data["diagnosis"] == check.diagnosis


@pytest.mark.parametrize("name", CASES)
def test_a_dictionary_and_a_pickle_come_back(name: str) -> None:
    check = CASES[name]()
    for again in (fg.GradientCheck.from_dict(check.to_dict()), pickle.loads(pickle.dumps(check))):
        assert again.to_json() == check.to_json()
        assert again.passed == check.passed
        assert len(again.kinks) == len(check.kinks)


def test_json_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    check = failed()
    text = check.to_json(tmp_path / "check.json", indent=1)
    assert (tmp_path / "check.json").read_text(encoding="utf-8") == text
    assert json.loads(text)["wrong"]["claimed"] == ["nan", 9.0]


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(ValueError, match="no complete GradientCheck"):
        fg.GradientCheck.from_dict({"verdict": "passed"})


class Tags(HTMLParser):
    """Count what is opened and closed, and keep what refers outside."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.outside += [f"{key}={value}" for key, value in attrs if key in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", CASES)
def test_html_is_one_sound_page_without_references(name: str, tmp_path: Path) -> None:
    check = CASES[name]()
    check.to_html(tmp_path / "check.html")
    text = (tmp_path / "check.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.outside == []
    assert not tags.seen & {"script", "link", "img", "iframe"}
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"] * text.count("<svg")
    assert text.startswith("<!DOCTYPE html>")
    assert check.verdict in text
    assert check._repr_html_() in text


def test_html_holds_verdict_diagnosis_table_map_and_sweep() -> None:
    check = fg.gradient_check(f, X, X)
    text = check._repr_html_()
    assert "gradient check failed: 24 of 24 entries wrong" in text
    assert "claimed = 0.5 × measured: a factor 2 is missing, probably" in text
    assert text.count("<tr>") == 11
    assert "… and 14 more" in text
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 2
    heat, sweep = (ElementTree.fromstring(picture) for picture in pictures)
    space = "{http://www.w3.org/2000/svg}"
    assert len(heat.findall(f"{space}rect")) == 24
    assert "row 0, column 0: 2" in text
    assert check.sweep is not None
    assert len(sweep.findall(f"{space}circle")) == check.sweep.steps.size


def test_names_are_escaped_and_leaves_are_counted() -> None:
    text = in_a_tree()._repr_html_()
    assert "<b> &" not in text
    assert "&lt;b&gt; &amp;" in text
    assert re.search(r"\(4, 6\)</td><td[^>]*>24</td>", text)
    assert re.search(r"\(3,\)</td><td[^>]*>0</td>", text)


def test_a_passed_check_needs_no_table() -> None:
    assert "<table>" not in CASES["passed"]()._repr_html_()


def test_the_errors_are_kept_in_blocks() -> None:
    claimed = np.zeros((200, 130))
    claimed[199, 64], claimed[2, 129] = 5.0, np.nan
    found = error_map((Leaf("x", (200, 130), 0),), None, claimed.reshape(-1), np.zeros(26000), 0)
    assert found.shape == (200, 130)
    assert found.largest.shape == (64, 64)
    assert np.count_nonzero(found.largest) == 2
    assert found.largest[63, 31] == 5.0
    assert np.isposinf(found.largest[0, 63])


def test_a_map_of_some_entries_leaves_the_others_open() -> None:
    leaves = (Leaf("a", (5,), 0), Leaf("b", (2, 3, 4), 5))
    where = np.array([1, 6, 28])
    found = error_map(leaves, where, np.array([1.0, 2.0, 3.0]), np.zeros(3), 2)
    assert (found.path, found.shape) == ("b", (2, 12))
    assert found.largest[0, 1] == 2.0
    assert found.largest[1, 11] == 3.0
    assert np.count_nonzero(np.isnan(found.largest)) == 22


def test_a_large_check_that_passed_keeps_no_errors() -> None:
    x = np.ones(5000)
    assert fg.gradient_check(lambda x: x @ x, 2 * x, x, indices=range(10)).errors is not None
    check = fg.gradient_check(
        fg.losses.LinearLoss(np.ones((70, 70)), np.ones(70), loss="sum"), np.ones((70, 70)), np.ones((70, 70))
    )
    assert check.passed
    assert check.errors is None
    with pytest.raises(ValueError, match="holds no error map"):
        check.plot()


def test_the_sweep_is_the_worst_entry_over_its_steps() -> None:
    claim = 2 * X
    claim[2, 3], claim[1, 1] = 9.0, 0.0
    check = fg.gradient_check(f, claim, X)
    assert check.worst is not None
    assert check.sweep is not None
    assert check.name(check.sweep.index) == check.worst.name == "x[2, 3]"
    assert np.all(np.diff(check.sweep.steps) > 0)
    assert check.sweep.steps.size >= 3
    error = np.abs(check.sweep.slopes - 2 * X[2, 3])
    assert np.all(error <= 4 * check.sweep.rounding + 1e-9)
    assert CASES["passed"]().sweep is None


def test_the_plot_draws_the_map_into_given_axes() -> None:
    from matplotlib import pyplot as plt

    check = failed()
    _, ax = plt.subplots()
    assert check.plot(ax) is ax
    assert ax.get_title(loc="left") == "gradient check failed: x"
    assert np.asarray(ax.images[0].get_array()).shape == (4, 6)
    new = in_a_tree().plot()
    assert new is not ax
    assert new.get_title(loc="left") == 'gradient check failed: x["W"]'
    CASES["passed"]().plot()
    CASES["number"]().plot()
    CASES["infinite"]().plot().figure.canvas.draw()
    plt.close("all")


def test_drawing_without_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"fastgrad\[plot\]"):
        failed().plot()


@pytest.mark.parametrize("length", [3, 60, 90, 300])
def test_text_stays_within_a_hundred_columns_whatever_the_names(length: int) -> None:
    name = "layer " * 3 + "w" * length
    x = {name: {"k" * length: 1e9 * np.ones((2, 3))}}
    claim = {name: {"k" * length: np.array([[np.nan, 1e300, -1e-300], [0.0, -1.23456789e-5, 2.0]])}}
    check = fg.gradient_check(lambda p: f(p[name]["k" * length]), claim, x)
    lines = str(check).splitlines()
    assert max(map(len, lines)) <= 100
    assert any(re.match(r"  x\[.*\[0, 1\]  ", line) for line in lines)
    assert str(fg.GradientCheck.from_dict(check.to_dict())) == str(check)


def test_results_can_be_held_against_each_other_and_put_in_sets() -> None:
    """They hold arrays, which have no one truth value: a result equals itself alone, as other results do."""
    x, g = np.ones((3, 2)), np.ones((3, 4))
    for make in (
        failed,
        lambda: fg.layer_check(fg.LinearLayer(2, 3, rng=0), np.ones((2, 2)), rng=0),
        lambda: fg.weight_gradient_check(g, x, np.zeros((4, 2)), rng=0),
        lambda: failed().wrong,
        lambda: failed().kinks,
    ):
        one, other = make(), make()
        assert one == one
        assert one != other
        assert len({one, other}) == 2
