"""The catalog: all problems of a kind, in order, and one by its name."""

from fastgrad._arrays import whole_number
from fastgrad.problems import _more_fits as fits
from fastgrad.problems import _more_systems as systems
from fastgrad.problems import _more_variable as variable
from fastgrad.problems import _sparse as sparse
from fastgrad.problems._classic import CLASSIC
from fastgrad.problems._hard import HARD
from fastgrad.problems._values import ScalarProblem, VectorProblem

__all__ = ["SCALAR", "more_garbow_hillstrom", "scalar", "sparse_problems"]

#: All functions of one variable: the classic ones first, the hard ones after them.
SCALAR = (*CLASSIC, *HARD)


def scalar(name: str) -> ScalarProblem:
    """Return the function of one variable of this name.

    Parameters
    ----------
    name : str
        As `ScalarProblem.name` has it.

    Returns
    -------
    ScalarProblem

    Raises
    ------
    ValueError
        If there is none; the error lists the names that are.

    Examples
    --------
    >>> from fastgrad import problems
    >>> problems.scalar("runge").exact
    -0.1652864103579484
    """
    for problem in SCALAR:
        if problem.name == name:
            return problem
    raise ValueError(f"no scalar problem is called {name!r}; there are {', '.join(p.name for p in SCALAR)}.")


def more_garbow_hillstrom() -> tuple[VectorProblem, ...]:
    """Return the 35 problems of Moré, Garbow and Hillstrom in their order, at the default sizes.

    Returns
    -------
    tuple of VectorProblem

    References
    ----------
    J. J. Moré, B. S. Garbow and K. E. Hillstrom, Testing unconstrained optimization software, ACM Transactions on
    Mathematical Software 7 (1981), 17-41.

    Examples
    --------
    >>> from fastgrad import problems
    >>> [p.name for p in problems.more_garbow_hillstrom()][:3]
    ['rosenbrock', 'freudenstein_roth', 'powell_badly_scaled']
    """
    makers = [getattr(module, name) for module in (systems, fits, variable, sparse) for name in module.__all__]
    numbered = {p.number: p for p in (make() for make in makers) if p.number is not None}
    return tuple(numbered[k] for k in sorted(numbered))


def sparse_problems(n: int | None = None) -> tuple[VectorProblem, ...]:
    """Return the problems with a known sparsity pattern, at their default sizes or with about n variables.

    Parameters
    ----------
    n : int, optional
        At least 4.

    Returns
    -------
    tuple of VectorProblem

    Raises
    ------
    TypeError, ValueError
        If n is no integer, or less than 4.

    Examples
    --------
    >>> from fastgrad import problems
    >>> {p.name: p.n for p in problems.sparse_problems(1000)}["broyden_banded"]
    1000
    """
    makers = [getattr(sparse, name) for name in sparse.__all__ if name != "bratu"]
    if n is None:
        return (*(make() for make in makers), sparse.bratu())
    n = whole_number(n, "n")
    if n < 4:
        raise ValueError(f"the sparse problems have four variables or more; got n = {n}.")
    return (*(make(n - n % 4) for make in makers), sparse.bratu(round(n**0.5)))
