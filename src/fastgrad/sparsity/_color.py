"""Choosing colours: greedily, in one order or in several, for columns, rows, both, or a symmetric pattern."""

from typing import Any, get_args

from fastgrad._seeds import seed_from
from fastgrad.sparsity._bicoloring import both
from fastgrad.sparsity._coloring import Coloring, Partition, no_colors
from fastgrad.sparsity._greedy import one_way, star
from fastgrad.sparsity._makers import as_pattern

__all__ = ["color"]


def color(pattern: Any, partition: Partition = "columns", *, order: Any = "auto", rng: Any = None) -> Coloring:
    """Return a colouring of a pattern: what may be measured at once, so that every entry can still be told.

    Finding the fewest colours is NP-hard; this is greedy, and each order below is a way of being greedy. All take time
    and memory in proportion to the entries, but for the orders that need degrees (see `fastgrad.sparsity`).

    Parameters
    ----------
    pattern : Pattern, or what `as_pattern` takes
    partition : {"columns", "rows", "both", "symmetric"}
        Columns of one colour have no common row: two calls of f a colour measure them. Rows of one colour have no
        common column: for functions with a vjp. With "both", dense rows are coloured as rows and all else as columns,
        or dense columns as columns and all else as rows, whichever takes fewer colours: an arrow takes 3. "symmetric"
        is a star colouring for Hessians, in which an entry or its mirror image can be read.
    order : str or array_like of int
        "auto" takes the fewest colours of several cheap tries, and stops when no fewer are possible: the next free
        colour of a palette as large as the fullest row, in natural order, which is best on grids; the lowest free
        colour in natural order; and that again with the colours last found in reverse, which never takes more (J. C.
        Culberson, Iterated greedy graph coloring, 1992). For "symmetric" it is the best of natural, largest first and
        smallest last. Others take the lowest free colour in one order: "natural", "largest_first", "smallest_last",
        "incidence_degree", "random", or a permutation. For "both" only "auto" has a meaning.
    rng : int, numpy.random.Generator or None
        For the random order; None draws a fresh seed, which the colouring's `order` tells.

    Returns
    -------
    Coloring

    Raises
    ------
    ValueError
        If the partition or order is unknown, or a pattern that is not symmetric is to have a symmetric colouring.

    References
    ----------
    A. R. Curtis, M. J. D. Powell and J. K. Reid, IMA J. Appl. Math. 13 (1974), 117-119. T. F. Coleman and J. J. Moré,
    SIAM J. Numer. Anal. 20 (1983), 187-209, and Math. Programming 28 (1984), 243-270. A. K. M. S. Hossain and T.
    Steihaug, Optim. Methods Softw. 10 (1998), 33-48, and T. F. Coleman and A. Verma, SIAM J. Sci. Comput. 19 (1998),
    1210-1233, for both. A. H. Gebremedhin, F. Manne and A. Pothen, SIAM Review 47 (2005), 629-705, for all of these.

    Examples
    --------
    >>> from fastgrad import sparsity
    >>> arrow = sparsity.as_pattern(lambda i, j: (i == j) | (i == 0) | (j == 0), (50, 50))
    >>> sparsity.color(arrow).n_colors, sparsity.color(arrow, "both").n_colors
    (50, 3)
    >>> sparsity.color(arrow, "symmetric").n_colors
    2
    """
    p = as_pattern(pattern)
    if partition not in get_args(Partition):
        raise ValueError(f"partition must be one of {', '.join(map(repr, get_args(Partition)))}; got {partition!r}.")
    m, n = p.shape
    if partition == "both":
        if order != "auto":
            raise ValueError(f"a colouring of both rows and columns takes order='auto' only; got {order!r}.")
        return Coloring(p, partition, *both(p), "auto")
    if partition == "symmetric" and not p.is_symmetric:
        raise ValueError("a pattern that is not symmetric has no symmetric colouring; give pattern | pattern.T.")
    name = order if isinstance(order, str) else "given"
    seed = seed_from(rng) if name == "random" else 0
    if name == "random":
        name = f"random, rng={seed}"
    if partition == "rows":
        return Coloring(p, partition, no_colors(n), one_way(p.T, order, seed), name)
    find = star if partition == "symmetric" else one_way
    return Coloring(p, partition, find(p, order, seed), no_colors(m), name)
