"""What can go wrong, as classes, and the sentences that both twins must say alike."""

from collections.abc import Iterable

#: What f raises where it has no value, as far as plain arithmetic and `math` go.
NO_VALUE = (FloatingPointError, ZeroDivisionError, OverflowError, ValueError)


class ShapeError(ValueError):
    """An array, or a value that f returned, has a shape that does not fit."""


class StepError(ValueError):
    """A step that is no positive real number, or that rounding eats at some entry of x."""


class AnalyticityError(ValueError):
    """A derivative was asked for through the complex plane of an f that is not analytic there."""


class PatternError(ValueError):
    """A sparsity pattern lacks entries that the derivative has, so that what is measured by it would be wrong."""


class GradientMismatch(AssertionError):  # noqa: N818 - an AssertionError is named for what did not hold
    """A claimed derivative differs from the measured one beyond tolerance and error bound."""


class InconclusiveError(AssertionError):
    """A check could not resolve the tolerance: the claim is neither confirmed nor refuted."""


class DivergenceWarning(RuntimeWarning):
    """An iteration left the finite numbers."""


class OneSidedWarning(RuntimeWarning):
    """A derivative was taken on one side of an entry, because f has no finite value on the other."""


def lost_step(entry: str, value: float, eps: float, realised: float) -> StepError:
    """Return the error for a step that rounding changes by more than one part in a hundred."""
    if realised - realised != 0.0:
        return StepError(
            f"the step eps = {eps:.6g} leads out of all numbers at {entry} = {value:.17g}: the step really taken would "
            f"be {realised:.6g}. Give a smaller eps."
        )
    return StepError(
        f"the step eps = {eps:.6g} is lost to rounding at {entry} = {value:.17g}: the step really taken would be "
        f'{realised:.6g}. Give a larger eps, one step an entry, or eps="auto".'
    )


def bad_step(eps: object) -> StepError:
    """Return the error for an eps that no difference can be taken with."""
    return StepError(
        'eps must be None, "auto", "noise", a positive finite real number, an array of them shaped like x, or a '
        f"function of x that returns them; got {eps!r}."
    )


def unmeasured_noise() -> StepError:
    """Return the error for an eps that stands for the noise of an f where none is measured."""
    return StepError(
        'eps="noise" asks an ordinary callable for its noise, in gradients, Jacobians and gradient checks. Structured '
        'callables, second derivatives, products along a direction and fastgrad.reference take a number or "auto".'
    )


def shape_hint(given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Return a hint if a transpose, or a sum over an axis, is all that the given shape lacks to be the wanted one."""
    if len(given) >= 2 and given == wanted[::-1]:
        return " Transposed it would fit."
    for axis in range(len(given)):
        if given[:axis] + given[axis + 1 :] == wanted:
            what = "is the sum over the samples of a batch missing?" if axis == 0 else "is a sum missing?"
            return f" Summed over axis {axis} it would fit: {what}"
    return ""


def failure(verdict: str, report: str) -> AssertionError:
    """Return the error for a check that did not pass; its report is the message."""
    return GradientMismatch(report) if verdict == "failed" else InconclusiveError(report)


def no_such_method(method: object, known: Iterable[str]) -> ValueError:
    """Return the error for a method that a verb does not have."""
    return ValueError(f"method must be one of {', '.join(map(repr, known))}; got {method!r}.")


def takes_x_alone() -> TypeError:
    """Return the error for further arguments of a structured callable."""
    return TypeError("a structured callable takes x alone: args and kwargs have no place to go.")


def own_steps(method: str) -> TypeError:
    """Return the error for steps, or an order, given to a method that has its own."""
    return TypeError(f"the {method} method picks its own steps and order: leave eps and order out.")


def stacks_of_trees() -> TypeError:
    """Return the error for a gradient that is to take stacks of trees."""
    return TypeError("with vectorized=True grad must take and return arrays: x is a tree.")


def missing_extra(what: str, package: str, extra: str) -> ImportError:
    """Return the error for what needs a package that is not installed."""
    return ImportError(f'{what} needs {package}; install the extra: pip install "fastgrad[{extra}]".')


def not_stacked(where: str, returned: str, hint: str, what: str = "a value") -> ShapeError:
    """Return the error for an f that takes stacks of points and does not return as many values."""
    return ShapeError(
        f"with vectorized=True f must return {what} for each point, along the first axis: at {where} it returned "
        f"{returned}{hint}"
    )


def not_so_long(count: int) -> str:
    """Return the end of that sentence where the first axis has another length."""
    return f", where the first axis should have the length {count}."


def no_claim(what: str = "the claimed gradient") -> TypeError:
    """Return the error for a claim that is None."""
    return TypeError(f"{what} is None: does the function that claims it lack a return?")


def not_callable(f: object, name: str = "f") -> TypeError:
    """Return the error for an f, or a function of another name, that cannot be called."""
    return TypeError(f"{name} must be callable, got {type(f).__name__}.")


def not_analytic(what: str) -> AnalyticityError:
    """Return the error for a complex step through an f that has no complex derivative."""
    return AnalyticityError(
        f"f is not analytic: {what} The complex step needs an f made of analytic functions of complex arguments; abs, "
        'real, conj, comparisons, max and casts to real numbers are none. Use method="adaptive" or central differences.'
    )
