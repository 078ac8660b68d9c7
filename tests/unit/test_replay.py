"""What a replay file keeps, and what it refuses."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._replay import KEPT, Replay

X = np.linspace(-1.0, 1.0, 8).reshape(2, 4)


def squares(x: Any) -> float:
    return float(np.sum(x**2))


def failed(x: Any = X, factor: float = 1.0) -> fg.GradientCheck:
    claim = 2 * x
    claim[1, 2] += 0.5
    claim[0, 1] += 1.5
    return fg.gradient_check(squares, factor * claim, x)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    replay = Replay.of(failed(), X, "tests/test_a.py::test_b[1]", 2, 3**60)
    replay.save(tmp_path / "a.npz")
    again = Replay.load(tmp_path / "a.npz")
    assert again.line.tobytes() == X.tobytes()
    assert again.entries.tolist() == [1, 6]  # the worst first
    assert (again.seed, again.test, again.call, again.test_seed) == (None, "tests/test_a.py::test_b[1]", 2, 3**60)


def test_a_seed_of_any_size_is_kept(tmp_path: Path) -> None:
    Replay(X.reshape(-1), np.empty(0, np.intp), 2**127 + 1).save(tmp_path / "a.npz")
    assert Replay.load(tmp_path / "a.npz").seed == 2**127 + 1


def test_the_point_comes_back_in_the_form_of_x() -> None:
    replay = Replay.of(failed(), X)
    assert np.array_equal(replay.at(np.zeros((2, 4))), X)
    assert replay.at(np.zeros((2, 4), np.float32)).dtype == np.float32
    tree = replay.at({"W": np.zeros((2, 3)), "b": np.zeros(2)})
    assert np.array_equal(tree["W"].reshape(-1), X.reshape(-1)[:6])
    assert np.array_equal(tree["b"], X.reshape(-1)[6:])
    with pytest.raises(fg.ShapeError, match=r"holds 8 entries, and x has 9"):
        replay.at(np.zeros(9))


def test_it_knows_its_own_point() -> None:
    replay = Replay.of(failed(), X)
    assert replay.is_at(X)
    assert replay.is_at(X.tolist())
    assert not replay.is_at(-X)
    assert not replay.is_at(X.astype(np.float32))


def test_no_more_than_the_worst_entries_are_kept() -> None:
    x = np.linspace(1.0, 2.0, KEPT + 20)
    replay = Replay.of(fg.gradient_check(squares, 3 * x, x), x)
    assert replay.entries.tolist() == list(range(KEPT + 19, 19, -1))


def test_unresolved_entries_are_kept_where_none_is_wrong() -> None:
    x = X / 3
    check = fg.gradient_check(lambda x: np.round(squares(x), 5), 2 * x, x)
    assert check.verdict == "inconclusive"
    assert set(Replay.of(check, x).entries) == set(check.unresolved.indices)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Replay.load(tmp_path / "missing.npz")
    path = tmp_path / "other.npz"
    for content in (b"", b"some text", pickle.dumps(X)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"other\.npz"):
            Replay.load(path)
    with path.open("wb") as file:
        np.save(file, X)
    with pytest.raises(ValueError, match="no replay file"):
        Replay.load(path)
    np.savez(path, x=X)
    with pytest.raises(ValueError, match="no replay file"):
        Replay.load(path)
    np.savez(path, version=2)
    with pytest.raises(ValueError, match="version 2"):
        Replay.load(path)
