"""The demo, a story in five chapters on real data, and its pictures. Each tells whether all that it claims held."""

import platform
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from fastgrad import _backend
from fastgrad._demo import diabetes, digits, figures, identities, million
from fastgrad._demo.page import Page


def run(folder: Path) -> bool:
    """Tell the story on standard output, save figures in a folder that exists, and return whether every claim held."""
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    with threadpool_limits(1, user_api="blas"):  # small matrices gain nothing from more, and the times jitter less
        return _tell(Page(), folder)


def _tell(page: Page, folder: Path) -> bool:
    start = time.perf_counter()
    page.headline(
        f"fastgrad {metadata.version('fastgrad')}",
        f"{_backend.NAME} kernels, Python {platform.python_version()}, NumPy {np.__version__}, one BLAS thread, "
        f"{platform.machine()}",
    )
    held = [identities.tell(page), identities.tell_jacobian(page), million.tell(page)]
    net = digits.tell(page)
    fit = diabetes.tell(page)
    figures.tell(page, folder, net, fit)
    held += [net.held, fit.held]
    page.line()
    took = f"{time.perf_counter() - start:.1f} s"
    if all(held):
        page.line(f"Every claim was measured and held; the one sabotaged weight was named. {took} in all.")
    else:
        page.line(f"A claim did not hold: look for {page.mark(False)} above. {took} in all.")
    return all(held)
