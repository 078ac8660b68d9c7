"""The families of the installed benchmark, run one after the other."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter

from fastgrad._bench import machine
from fastgrad._bench.record import Family, Record
from fastgrad._bench.rows import Row
from fastgrad._bench.tables import text
from fastgrad._bench.timing import Effort

#: How long a row is measured, and how long with --quick.
WHOLE, QUICK = Effort(1.5, quick=False), Effort(0.5, quick=True)
#: The families, in the order in which they are told, and what each needs beside NumPy: module, name and extra.
FAMILIES: dict[str, tuple[str, str, str] | None] = {
    "opaque": None,
    "layers": None,
    "outer": None,
    "least_squares": None,
    "sparse": ("scipy", "SciPy", "sparse"),
}
_HOW = (
    "Measured in turn, round after round: the ratio of the least times, and in brackets the median of the rounds.\n"
    '"this / fastgrad": how many times fastgrad\'s time this takes. "fastgrad / that": how near fastgrad is to a limit.'
)
_THREADS = "Loops of many small calls want one BLAS thread; OPENBLAS_NUM_THREADS=1 shows the difference."


def run(effort: Effort, tell: Callable[[str], None]) -> Record:
    """Measure all families that can be measured here, tell each as it ends, and return what was found.

    Parameters
    ----------
    effort : Effort
        How long to measure.
    tell : callable
        Takes a piece of text.
    """
    versions = machine.software()
    record = Record(machine.hardware(), {})
    tell(f"{machine.told_hardware(record.machine)}.\n{machine.told_software(versions)}.\n\n{_HOW}\n")
    for name, needs in FAMILIES.items():
        if needs is not None and find_spec(needs[0]) is None:
            tell(f"{name}: left out, {needs[1]} is not installed; pip install 'fastgrad[{needs[2]}]'.\n")
            continue
        module = import_module(f"fastgrad._bench.{name}")
        family = measured(module.TITLE, module.rows(effort), effort, versions)
        record = record.with_family(name, family)
        tell(text(family.title, family.rows) + "\n")
    if versions["blas_threads"] != 1:
        tell(_THREADS)
    return record


def measured(title: str, rows: Iterable[Row], effort: Effort, versions: dict[str, object]) -> Family:
    """Measure the rows of a family as they are asked for, and return them with the date and the time that it took."""
    start = perf_counter()
    found = list(rows)
    return Family(
        title=title,
        when=datetime.now(UTC).date().isoformat(),
        software=versions,
        effort=effort.seconds,
        took=round(perf_counter() - start, 1),
        rows=found,
    )
