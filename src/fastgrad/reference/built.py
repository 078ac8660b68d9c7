"""How the plain twins were built: not at all. What their loops are worth is NumPy's affair."""

__all__ = ["choices", "compiler", "flags", "level"]


def level() -> str:
    """Return the name of the level that runs."""
    return "NumPy's own"


def choices() -> tuple[str, ...]:
    """Return the names of the levels that were built, the narrowest first."""
    return (level(),)


def compiler() -> str:
    """Return the name and the version of the C compiler."""
    return "none"


def flags() -> str:
    """Return what the C compiler was told."""
    return ""
