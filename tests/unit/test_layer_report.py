"""What a check of a layer returns, and how it is told."""

import json
import pickle

import numpy as np
import pytest

import fastgrad as fg
from fastgrad.testing import assert_layer
from tests.unit.affine import Affine, doubled_row

X = np.random.default_rng(2).standard_normal((5, 4))


def test_the_result() -> None:
    check = fg.layer_check(Affine(doubled_row), X, gradients=("x", "W", "b"), rng=3)
    passed, max_error = check
    assert not passed
    assert not check
    assert check.verdict == "failed"
    assert max_error == check.max_error == check.checks["W"].max_error
    assert check.worst is not None
    assert check.worst.index[0] == 1
    assert check.output_shapes == ((5, 3),)
    assert (check.layer, check.seed, check.is_given) == ("Affine", 3, False)
    assert pickle.loads(pickle.dumps(check)).failed == check.failed
    assert json.loads(json.dumps(check.to_dict()))["checks"]["W"]["verdict"] == "failed"
    with pytest.raises(AttributeError):
        check.seed = 4  # type: ignore[misc]
    fg.layer_check(Affine(), X, gradients=("x", "W", "b")).raise_if_failed()


@pytest.mark.parametrize("length", [1, 60, 300])
def test_the_report_stays_within_100_columns(length: int) -> None:
    layer = Affine(lambda layer, x, W, b: (x, W, 2 * b))
    name = "c" * length
    setattr(layer, name, 0.0)
    layer.forward = lambda x: Affine.forward(layer, x) + getattr(layer, name)  # type: ignore[method-assign]
    layer.form = lambda layer, x, W, b: (x, W, 2 * b.sum())
    check = fg.layer_check(layer, X, gradients=("x", "W", name))
    assert check.failed == (name,)
    own, _, _ = str(check).partition("gradient check failed")  # the rest is the report of a gradient check
    assert max(map(len, own.splitlines())) <= 100
    assert "\n" in own


def test_a_passing_report() -> None:
    text = str(fg.layer_check(fg.LinearLayer(4, 3, rng=0), X, rng=11))
    lines = text.splitlines()
    assert lines[0].startswith("layer check passed: 3 gradients, max error = ")
    assert [line.split()[0] for line in lines[1:5]] == ["gradient", "x", "W", "b"]
    assert lines[5] == "  random grad_output (5, 3), 80 calls of forward, 2 of backward, rng=11"


def test_assert_layer() -> None:
    assert assert_layer(fg.LinearLayer(4, 3, rng=0), X).passed
    with pytest.raises(fg.GradientMismatch, match="1 of 3 gradients wrong: W"):
        assert_layer(Affine(doubled_row), X, gradients=("x", "W", "b"))
