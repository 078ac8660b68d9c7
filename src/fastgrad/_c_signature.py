"""C signatures: which functions of pointers and counts can be differentiated, and how they take their arguments."""

import re

#: How a function takes its arguments, added up; the kernels have the same numbers.
DATA, COUNT_FIRST, INT_COUNT = 1, 2, 4

SCALAR = "double f(const double *x, intptr_t n, void *data)"
VECTOR = "void f(const double *x, double *y, intptr_t n, intptr_t m, void *data)"
#: What else is taken, as errors and documentation say.
VARIANTS = "without data, with int for the counts, or of a scalar function with n before x"

#: Integers as wide as a pointer, wherever C's own names leave that open; `long` is, but on Windows.
_WIDE = {
    *("intptr_t", "ptrdiff_t", "ssize_t", "size_t", "uintptr_t", "Py_ssize_t", "npy_intp", "int64_t", "uint64_t"),
    *("long long", "unsigned long long", "Py_intptr_t"),
}


def form_of(signature: str, *, is_scalar: bool) -> int:
    """Return how a function of this signature takes its arguments; ValueError if it is none of those taken.

    Parameters
    ----------
    signature : str
        In C, with or without names, as ``"double (double *, long, void *)"``; `const` and spaces make no difference.
    is_scalar : bool
        Whether the function returns one double, or writes its values into a second array.

    Examples
    --------
    >>> form_of("double (const double *x, intptr_t n, void *data)", is_scalar=True) == DATA
    True
    >>> form_of("double f(int n, double *xx)", is_scalar=True) == COUNT_FIRST + INT_COUNT
    True
    """
    returned, arguments = _parts(signature)
    kinds = [_kind(argument) for argument in arguments]
    form = 0
    if kinds and kinds[-1] == "void*":
        form, kinds = DATA, kinds[:-1]
    counts = {kind for kind in kinds if kind in ("int", "wide")}
    if counts == {"int"}:
        form |= INT_COUNT
    orders = [["double*", "count"], ["count", "double*"]] if is_scalar else [["double*", "double*", "count", "count"]]
    order = ["count" if kind in counts else kind for kind in kinds]
    if returned != ("double" if is_scalar else "void") or len(counts) != 1 or order not in orders:
        raise ValueError(signature)
    return form | (COUNT_FIRST if order[0] == "count" else 0)


def refused(what: str, signature: str, *, is_scalar: bool) -> TypeError:
    """Return the error for a callable of another signature."""
    wanted = SCALAR if is_scalar else VECTOR
    return TypeError(f"{what} has the signature {signature!r}; it must be {wanted!r}, or {VARIANTS}.")


def _parts(signature: str) -> tuple[str, list[str]]:
    """Return the type that is returned, and the declarations of the arguments."""
    match = re.fullmatch(
        r"\s*([\w\s]*?\**)\s*(?:\(\s*\*\s*\w*\s*\))?\s*\(([^()]*)\)\s*(?:noexcept|nogil|\s)*", signature
    )
    if match is None:
        raise ValueError(signature)
    words = match[1].split()  # the type, and perhaps the name
    return words[0] if words and len(words) <= 2 and "*" not in match[1] else match[1], match[2].split(",")


def _kind(declaration: str) -> str:
    """Return "double*", "void*", "int", "wide" or, for any other type, "": of an argument with or without a name."""
    words = [
        word for word in re.findall(r"\w+|\*|\[\]", declaration) if word not in ("const", "restrict", "__restrict")
    ]
    stars = words.count("*") + words.count("[]")
    names = [word for word in words if word not in ("*", "[]")]
    if stars:
        return f"{names[0]}*" if stars == 1 and names and len(names) <= 2 and names[0] in ("double", "void") else ""
    for length in (len(names), len(names) - 1):
        kind = _integer(" ".join(names[:length]))
        if kind:
            return kind
    return ""


def _integer(name: str) -> str:
    import ctypes  # loaded when a signature is read

    if name in ("int", "signed", "signed int", "int32_t"):
        return "int"
    if name in ("long", "long int", "unsigned long"):
        return "wide" if ctypes.sizeof(ctypes.c_long) == ctypes.sizeof(ctypes.c_void_p) else "int"
    is_64_bits = ctypes.sizeof(ctypes.c_void_p) == 8
    return "wide" if name in _WIDE and (is_64_bits or ("64" not in name and "long long" not in name)) else ""
