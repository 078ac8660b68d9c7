"""The pictures: what they draw, where they draw it, and what they leave alone."""

import doctest
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from fastgrad import ShapeError, _pattern_picture, plot
from fastgrad import sparsity as fg_sparsity
from fastgrad._demo import page

matplotlib = pytest.importorskip("matplotlib")

A, B = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([4.0, 5.0])


@pytest.fixture
def ax() -> Any:
    from matplotlib.figure import Figure

    return Figure(layout="constrained").subplots()


def drawn(ax: Any) -> Any:
    """Render the figure, so that whatever is wrong with it shows."""
    ax.figure.draw_without_rendering()
    return ax


@pytest.mark.parametrize("draw", [plot.loss_landscape, plot.descent_field])
@pytest.mark.parametrize("case", ["square", "tall", "rank 1", "zero", "lists"])
def test_planes_are_drawn_around_the_minimum(ax: Any, draw: Any, case: str) -> None:
    a, b = {
        "square": (A, B),
        "tall": (np.vstack([A, A, [0.5, 2.0]]), np.arange(5.0)),
        "rank 1": (np.ones((3, 2)), np.arange(3.0)),
        "zero": (np.zeros((2, 2)), np.zeros(2)),
        "lists": ([[1, 0], [0, 2]], [1, 2]),
    }[case]
    assert draw(a, b, ax) is ax
    minimum = np.linalg.lstsq(np.asarray(a, float), np.asarray(b, float), rcond=None)[0]
    np.testing.assert_allclose(drawn(ax).get_xlim(), minimum[0] + [-2.5, 2.5])
    np.testing.assert_allclose(ax.get_ylim(), minimum[1] + [-2.5, 2.5])
    assert ax.get_title(loc="left")
    assert "minimum" in ax.get_legend().get_texts()[0].get_text()


def test_landscape_colours_cover_the_whole_grid(ax: Any) -> None:
    plot.loss_landscape(A, B, ax, x1=(-1, 4), x2=(-1, 4))
    losses = plot.loss_grid(A, B, np.linspace(-1, 4, 161), np.linspace(-1, 4, 161))
    filled = ax.collections[0]
    assert filled.levels[0] <= losses.min()
    assert filled.levels[-1] >= losses.max()
    assert ax.figure.axes[1].get_ylabel() == r"$\|Ax-b\|^2$"


@pytest.mark.parametrize("draw", [plot.loss_landscape, plot.descent_field])
@pytest.mark.parametrize(
    ("a", "b"),
    [(np.ones((3, 3)), np.ones(3)), (np.ones(2), np.ones(2)), (A, np.ones(3)), (np.ones((0, 2)), np.ones(0))],
)
def test_planes_need_two_unknowns(ax: Any, draw: Any, a: Any, b: Any) -> None:
    with pytest.raises(ShapeError, match="shape"):
        draw(a, b, ax)


def test_loss_curve_draws_losses_and_optimum(ax: Any) -> None:
    losses = 3.0 + 2.0 ** -np.arange(20.0)
    assert plot.loss_curve(losses, ax, optimum=3.0) is ax
    curve, line = drawn(ax).lines
    np.testing.assert_array_equal(curve.get_ydata(), losses)
    np.testing.assert_array_equal(line.get_ydata(), [3.0, 3.0])
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss", "optimum 3"]
    low, high = ax.get_ylim()
    assert low < 3.0 < 4.0 < high < 5.0


def test_a_diverging_curve_leaves_the_picture_and_is_named(ax: Any) -> None:
    runaway = np.concatenate([10.0 ** np.arange(0, 308, 4.0), [np.inf, np.nan]])
    plot.loss_curve({"slow": np.linspace(1.0, 0.5, 50), "fast": runaway}, ax)
    names = [text.get_text() for text in drawn(ax).get_legend().get_texts()]
    assert names == ["slow", "fast (diverges)"]
    assert 1.0 < ax.get_ylim()[1] < 10.0


@pytest.mark.parametrize("losses", [[], [0.0, 0.0], [np.nan, np.nan], [1.0, 0.0], [5.0]])
def test_losses_that_a_logarithm_cannot_show(ax: Any, losses: list[float]) -> None:
    drawn(plot.loss_curve(losses, ax, optimum=0.0 if losses else None))


def test_weights_stand_side_by_side(ax: Any) -> None:
    assert plot.weights({"true": [1.0, -2.0], "found": [1.1, -1.9]}, ax, names=["a", "b"]) is ax
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for group in drawn(ax).containers for bar in group]
    assert [height for _, _, height in bars] == [1.0, -2.0, 1.1, -1.9]
    assert bars[0][0] + bars[0][1] < bars[2][0] < bars[2][0] + bars[2][1] < bars[1][0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["true", "found"]


def test_weights_of_different_lengths_are_refused(ax: Any) -> None:
    with pytest.raises(ShapeError, match=r"\[2, 3\]"):
        plot.weights({"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]}, ax)
    with pytest.raises(ShapeError, match="one length"):
        plot.weights({"a": [1.0, 2.0]}, ax, names=["only one"])
    with pytest.raises(ShapeError, match="one length"):
        plot.weights({}, ax)
    with pytest.raises(ShapeError, match="'a'"):
        plot.weights({"a": [[1.0, 2.0]]}, ax)
    with pytest.raises(TypeError, match="vectors must be a mapping from names to vectors"):
        plot.weights(np.ones(3), ax)  # type: ignore[arg-type]


def test_without_axes_a_new_figure_is_made_and_the_style_left_alone() -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    before = dict(matplotlib.rcParams)
    first, second = plot.loss_curve([2.0, 1.0]), plot.weights({"w": [1.0]})
    assert first.figure is not second.figure
    assert dict(matplotlib.rcParams) == before
    plt.close(first.figure)
    plt.close(second.figure)


def test_matplotlib_is_imported_late_and_asked_for_by_the_extra() -> None:
    script = """
import sys
sys.modules["matplotlib"] = None
from fastgrad import plot
assert plot.loss_grid([[1, 0]], [0], [2.0], [0.0])[0, 0] == 4
try:
    plot.loss_curve([1.0])
except ImportError as error:
    assert 'pip install "fastgrad[plot]"' in str(error), error
else:
    raise SystemExit("no error")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_examples_in_docstrings() -> None:
    from matplotlib import pyplot as plt

    for module in (plot, _pattern_picture, page):
        failed, attempted = doctest.testmod(module)
        assert attempted
        assert not failed
    plt.close("all")


def test_the_callers_arrays_are_not_written(ax: Any) -> None:
    a, b, losses = A.copy(), B.copy(), np.array([2.0, 1.0])
    for array in (a, b, losses):
        array.setflags(write=False)
    plot.loss_landscape(a, b, ax)
    plot.descent_field(a, b, ax)
    plot.loss_curve(losses, ax)
    plot.weights({"w": losses}, ax)


@pytest.mark.parametrize("partition", [None, "columns", "rows", "both", "symmetric"])
@pytest.mark.parametrize("n", [1, 12, 3000])
def test_patterns_are_drawn_in_the_colours_of_what_measures_them(ax: Any, partition: Any, n: int) -> None:
    p = fg_sparsity.banded(n, 1)
    drawn_thing: Any = p if partition is None else fg_sparsity.color(p, partition)
    assert plot.sparsity(drawn_thing, ax) is ax
    drawn(ax)
    picture = np.asarray(ax.images[0].get_array())
    assert max(picture.shape) <= 1000
    filled = np.any(picture < 1, axis=2)
    inks = {tuple(ink) for ink in picture[filled]}
    assert 1 <= len(inks) <= (1 if partition is None else drawn_thing.n_colors)
    if n == 12:
        np.testing.assert_array_equal(filled, p.toarray())
        if partition in ("columns", "rows"):
            lines = picture if partition == "rows" else picture.swapaxes(0, 1)
            for line, dots in zip(lines, p.toarray(), strict=True):
                assert len({tuple(ink) for ink in line[dots]}) == 1
            assert len(inks) == 3
    assert ax.get_title(loc="left").startswith("Coloring(" if partition else "Pattern(")


def test_a_pattern_of_many_colours_or_none_is_drawn(ax: Any) -> None:
    many = fg_sparsity.color(np.ones((3, 40)))
    plot.sparsity(many, ax, title="dense")
    picture = np.asarray(drawn(ax).images[0].get_array())
    assert len({tuple(ink) for ink in picture[0]}) == 40
    assert ax.get_title(loc="left") == "dense"
    plot.sparsity(np.zeros((0, 3)), ax)
    drawn(ax)
