"""Numbers and counts as a diagnosis tells them."""


def number(value: float) -> str:
    """Return a number with six digits and a true minus."""
    return f"{value:.6g}".replace("-", "−", 1) if value < 0 else f"{value:.6g}"


def entries(n: int) -> str:
    """Return the word for so many of them."""
    return "entry" if n == 1 else "entries"
