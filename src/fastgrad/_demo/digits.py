"""Chapter 4: a net trained on handwritten digits, its gradient checked before and after, then sabotaged."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad import _backend, losses
from fastgrad._check import gradient_check
from fastgrad._demo.page import Page, count, duration
from fastgrad._reading import entry_name
from fastgrad._result import GradientCheck
from fastgrad._typing import Array, Float64Array, IndexArray
from fastgrad.layers import TwoLayerNet, softmax_cross_entropy

TRAINING, HIDDEN, BATCH, EPOCHS, RATE = 1400, 32, 35, 30, 0.15


@dataclass(frozen=True)
class Trained:
    """What the chapter leaves to the figures and the ending."""

    losses: Float64Array
    accuracy: float
    held: bool


def tell(page: Page) -> Trained:
    """Tell the chapter."""
    from sklearn.datasets import load_digits

    page.chapter("A net that learns to read digits")
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order] / 16.0, labels[order]
    net = TwoLayerNet(64, HIDDEN, 10, rng=0)
    rows = check_both(page, "before", net, images[:TRAINING], labels[:TRAINING])
    start = time.perf_counter()
    history = train(net, images[:TRAINING], labels[:TRAINING])
    seconds = time.perf_counter() - start
    correct = np.argmax(net.forward(images[TRAINING:]), axis=1) == labels[TRAINING:]
    rows += check_both(page, "after", net, images[:TRAINING], labels[:TRAINING])
    steps = EPOCHS * (TRAINING // BATCH)
    page.paragraph(
        f"""A 64-{HIDDEN}-10 net with relu learns scikit-learn's digits under the softmax cross-entropy, with the
        {_backend.NAME} backward: {EPOCHS} epochs, {count(steps)} steps in {duration(seconds)}. The loss an image fell
        from {history[0]:.3f} to {history[-1]:.4f}, and of {correct.size} images that it never saw it reads
        {correct.mean():.1%}. Its gradient over all {count(TRAINING)} training images, before and after (uses
        structure):"""
    )
    page.line()
    held = all(check.passed for _, check in rows)
    head = ("", "entries", "largest entry", "largest error", "redone at a kink", "verdict  ")
    page.table(head, [cells for cells, _ in rows])
    held &= tell_sabotage(page, net, images[:TRAINING], labels[:TRAINING])
    return Trained(history, float(correct.mean()), held)


def train(net: TwoLayerNet, images: Array, labels: IndexArray) -> Float64Array:
    """Train by plain gradient descent on batches; return the mean loss an image, first at the start, then an epoch."""
    rng = np.random.default_rng(1)
    history = [softmax_cross_entropy(net.forward(images), labels)[0] / len(images)]
    for _ in range(EPOCHS):
        for batch in rng.permutation(len(images)).reshape(-1, BATCH):
            _, by_scores = softmax_cross_entropy(net.forward(images[batch]), labels[batch])
            by_W1, by_W2 = net.backward(by_scores / BATCH)
            net.W1 -= RATE * by_W1
            net.W2 -= RATE * by_W2
        history.append(softmax_cross_entropy(net.forward(images), labels)[0] / len(images))
    return np.array(history)


def gradients(net: TwoLayerNet, images: Array, labels: IndexArray) -> dict[str, Array]:
    """Return what backward claims for the summed loss."""
    _, by_scores = softmax_cross_entropy(net.forward(images), labels)
    return dict(zip(net.gradient_names, net.backward(by_scores), strict=True))


def check_both(page: Page, when: str, net: TwoLayerNet, images: Array, labels: IndexArray) -> list[Any]:
    """Check the gradients by W1 and W2; return a row of the table and the check for each."""
    rows = []
    for name, claimed in gradients(net, images, labels).items():
        check = check_one(net, name, claimed, images, labels)
        cells = (
            f"{when} training, {name}",
            count(check.compared),
            f"{np.abs(claimed).max():.3g}",
            f"{check.max_error:.1e}",
            str(check.redone),
            f"{check.verdict} {page.mark(check.passed)}",
        )
        rows.append((cells, check))
    return rows


def check_one(net: TwoLayerNet, name: Any, claimed: Array, images: Array, labels: IndexArray) -> GradientCheck:
    """Check one claimed gradient through the structured loss."""
    f = losses.TwoLayerLoss(net, images, loss=losses.CrossEntropy(labels), wrt=name)
    return gradient_check(f, claimed, getattr(net, name))


def tell_sabotage(page: Page, net: TwoLayerNet, images: Array, labels: IndexArray) -> bool:
    """Make one weight's gradient one per cent too large, and let the check find it."""
    claimed = gradients(net, images, labels)["W1"].copy()
    size = np.abs(claimed).reshape(-1)
    sabotaged = int(np.argsort(size)[3 * size.size // 4])
    claimed.reshape(-1)[sabotaged] *= 1.01
    check = check_one(net, "W1", claimed, images, labels)
    named = check.wrong.indices.tolist()
    page.line()
    page.paragraph(
        "Now the gradient of one weight of W1 is made 1 % too large, and the check, which is not told which, says:"
    )
    page.line()
    page.block(str(check))
    page.line()
    found = check.verdict == "failed" and named == [sabotaged]
    names = ", ".join(entry_name(i, claimed.shape) for i in named) or "none"
    where = entry_name(sabotaged, claimed.shape).replace("x", "W1", 1)
    page.verdict(f"Sabotaged: {where}. Named by the check, for which W1 is x: {names}", found)
    return found
