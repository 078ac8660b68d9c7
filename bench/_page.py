"""What README and docs/benchmarks.md say of the figures: Markdown made of the records, and of nothing else."""

import hashlib
import json
from collections.abc import Iterator, Sequence

from bench import _highlights
from fastgrad._bench.machine import slug, told_hardware, told_software
from fastgrad._bench.record import Family, Record
from fastgrad._bench.rows import duration
from fastgrad._bench.tables import markdown, markdown_figure

#: The families that are drawn, by the word that their pictures are called by, and what the pictures show.
PICTURES = {"growth": "Time against n", "peers": "The same gradients by other packages: time against n"}


def readme(records: Sequence[Record]) -> str:
    """Return the short table, of the machine that was measured last."""
    record = records[0]
    found, _ = _highlights.shown(record)
    reached = [
        figure.reached
        for family in record.families.values()
        for row in family.rows
        for figure in row.figures
        if figure.floor is not None
    ]
    lines = [
        f"{told_hardware(record.machine)}; {record.when}.",
        "",
        "| work | time of fastgrad | ratio |",
        "|---|---|---|",
        *(f"| {one.name} | {duration(one.row.seconds)} | {markdown_figure(one.figure)} |" for one in found),
        "",
        f"The project set itself {len(reached)} aims in such ratios; on this machine {sum(map(bool, reached))} are "
        "reached. [docs/benchmarks.md](docs/benchmarks.md) has all rows, those that miss their aim (✗) among them.",
    ]
    return "\n".join(lines)


def page(records: Sequence[Record]) -> str:
    """Return all rows of all machines, the one measured last first."""
    return "\n\n".join(part for record in records for part in _machine(record))


def picture_name(record: Record, family: str) -> str:
    """Return the file in docs/figures that shows a family."""
    return f"{slug(record.machine)}-{family}.svg"


def digest(family: Family) -> str:
    """Return what a picture carries, so that one can see which rows it was drawn from."""
    rows = json.dumps([row.as_data() for row in family.rows], sort_keys=True)
    return hashlib.sha256(rows.encode()).hexdigest()


def _machine(record: Record) -> Iterator[str]:
    yield f"## {told_hardware(record.machine)}"
    for name, title in PICTURES.items():
        if name in record.families:
            yield f"![{title}](figures/{picture_name(record, name)})"
    for family in record.families.values():
        table = markdown(family.title, family.rows)
        title, rest = table.split("\n", 1)
        yield f"{title}\n\n{family.when}; {told_software(family.software)}; {family.effort:g} s a row.\n{rest}"
