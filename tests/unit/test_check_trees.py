"""gradient_check at a tree: claims in every form, and entries named by their paths."""

import copy
import json
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X: dict[str, Any] = {"W1": np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.5]]), "more": [np.array([2.0, 4.0]), 3.0]}


@dataclass
class Gradients:
    W: Any
    b: Any


def f(x: Any) -> float:
    return float(np.sum(x["W1"] ** 2) + x["more"][1] * np.sum(x["more"][0]))


def gradient(x: Any) -> Any:
    return {"W1": 2 * x["W1"], "more": [np.full(2, x["more"][1]), np.sum(x["more"][0])]}


def wrong(x: Any) -> Any:
    g = gradient(x)
    g["W1"][1, 2] += 1
    g["more"][1] = 7.0
    return g


@pytest.mark.parametrize(
    "claim",
    [
        gradient,
        gradient(X),
        lambda x: gradient(x) | {"unused": None},
        {"more": ([3.0, 3.0], 6.0), "W1": (2 * X["W1"]).tolist()},
        np.array([2.0, -4.0, 6.0, 1.0, 0.0, -3.0, 3.0, 3.0, 6.0]),
        [2.0, -4.0, 6.0, 1.0, 0.0, -3.0, 3.0, 3.0, 6.0],
    ],
    ids=["callable", "tree", "more keys without anything", "lists in another order", "flat", "flat list"],
)
def test_a_right_claim_passes_in_every_form(claim: Any) -> None:
    check = fg.gradient_check(f, claim, X)
    assert check.passed
    assert check.max_error < 1e-8
    assert (check.compared, check.calls, check.shape) == (9, 18, (9,))


def test_true_takes_value_and_gradient_of_one_call() -> None:
    assert fg.gradient_check(lambda x: (f(x), gradient(x)), True, X)
    assert not fg.gradient_check(lambda x: (f(x), wrong(x)), True, X)


def test_a_claim_may_come_as_any_record_with_the_names() -> None:
    @dataclass
    class Params:
        W: Any
        b: Any

    x = Params(np.ones((2, 2)), np.ones(2))
    assert fg.gradient_check(lambda p: (p.W @ p.b).sum(), lambda p: Gradients(np.outer([1, 1], p.b), p.W.sum(0)), x)


def test_wrong_entries_are_named_by_their_paths() -> None:
    check = fg.gradient_check(f, wrong, X)
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [5, 8]
    assert [check.name(i) for i in check.wrong.indices] == ['x["W1"][1, 2]', 'x["more"][1]']
    assert check.worst is not None
    assert (check.worst.name, check.worst.index, check.worst.claimed) == ('x["W1"][1, 2]', (1, 2), -2.0)
    report = str(check).splitlines()
    assert [line.split()[:3] for line in report[2:4]] == [['x["W1"][1,', "2]", "-2"], ['x["more"][1]', "7", "6"]]


def test_the_index_of_the_worst_entry_is_one_into_its_leaf() -> None:
    check = fg.gradient_check(f, wrong, X, indices=[6, 7, 8])
    assert check.worst is not None
    assert (check.worst.name, check.worst.index) == ('x["more"][1]', ())
    assert check.compared == 3
    assert fg.gradient_check(f, wrong, X, indices=[0, 6])


def test_a_result_can_be_stored() -> None:
    check = fg.gradient_check(f, wrong, X)
    assert str(pickle.loads(pickle.dumps(check))) == str(check) == str(copy.deepcopy(check))
    stored = json.loads(json.dumps(check.to_dict()))
    assert stored["leaves"] == [
        {"path": 'x["W1"]', "shape": [2, 3], "start": 0},
        {"path": 'x["more"][0]', "shape": [2], "start": 6},
        {"path": 'x["more"][1]', "shape": [], "start": 8},
    ]
    assert stored["worst"]["name"] == 'x["W1"][1, 2]'
    plain = fg.gradient_check(lambda x: (x**2).sum(), lambda x: 2 * x, np.ones((2, 3)))
    assert json.loads(json.dumps(plain.to_dict()))["leaves"] == [{"path": "x", "shape": [2, 3], "start": 0}]


@pytest.mark.parametrize(
    ("claim", "error", "why"),
    [
        ({"W1": 2 * np.ones((2, 3))}, fg.ShapeError, r'claimed gradient must .* nothing for x\["more"\]\[0\]'),
        (
            {"W1": np.ones((3, 2)), "more": [[1, 2], 3]},
            fg.ShapeError,
            r'claimed gradient has shape \(3, 2\) at x\["W1"\], which has \(2, 3\)',
        ),
        (lambda x: gradient(x) | {"b": 1.0}, fg.ShapeError, r'holds x\["b"\], and x has no such leaf'),
        (np.ones(8), fg.ShapeError, r"a line of 9 numbers; got ndarray of shape \(8,\)"),
        (lambda x: None, fg.ShapeError, "got NoneType"),
        (lambda x: gradient(x) | {"W1": np.ones((2, 3), complex)}, TypeError, "must hold real numbers"),
        (lambda x: gradient(x) | {"W1": np.ma.ones((2, 3))}, TypeError, r'masked array at x\["W1"\]'),
    ],
)
def test_a_claim_that_does_not_fit_is_refused(claim: Any, error: Any, why: str) -> None:
    with pytest.raises(error, match=why):
        fg.gradient_check(f, claim, X)


def test_a_claim_with_a_leaf_in_single_precision_is_judged_by_that() -> None:
    def rounded(x: Any) -> Any:
        g = gradient(x)
        return g | {"W1": (g["W1"] * (1 + 1e-4)).astype(np.float32)}

    assert fg.gradient_check(f, rounded, X)
    assert not fg.gradient_check(f, lambda x: rounded(x) | {"W1": rounded(x)["W1"].astype(np.float64)}, X)


def test_the_claim_may_write_into_its_argument() -> None:
    def careless(x: Any) -> Any:
        x["W1"] *= 2
        total = x["more"][0].sum()
        x["more"][0][...] = x["more"][1]
        return {"W1": x["W1"], "more": [x["more"][0], total]}

    before = copy.deepcopy(X)
    assert fg.gradient_check(f, careless, X)
    np.testing.assert_equal(X, before)


def test_kinks_are_seen_in_leaves() -> None:
    check = fg.gradient_check(
        lambda x: np.abs(x["a"]).sum() + x["b"], {"a": [0.5, 1.0], "b": 1.0}, {"a": [0.0, 1.0], "b": 1.0}
    )
    assert check.passed
    assert [check.name(i) for i in check.kinks.indices] == ['x["a"][0]']


def test_args_reach_f_and_the_claim() -> None:
    x = [np.ones(2), 2.0]
    assert fg.gradient_check(
        lambda p, k: k * p[1] * p[0].sum(), lambda p, k: [np.full(2, k * p[1]), k * p[0].sum()], x, args=(3.0,)
    )
