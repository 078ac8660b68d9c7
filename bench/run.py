"""Runs the benchmark: prints Markdown, and writes the figures beside it under bench/results."""

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from threadpoolctl import threadpool_limits

from bench import _machine
from bench._harness import Effort
from bench._limits import build
from bench._report import Row, markdown

_FAMILIES = (
    "opaque",
    "native",
    "stacks",
    "layers",
    "outer",
    "levels",
    "least_squares",
    "coloring",
    "jacobian",
    "torch",
    "progress",
    "workers",
    "import",
)
_RESULTS = Path(__file__).with_name("results")
_HOW = (
    "Measured in turn, round after round, on one BLAS thread. **Ratio of the minima** (median over the rounds); "
    "what was to be reached, and whether the minima do."
)


def main() -> int:
    """Return 0 if every floor is reached, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--only", action="append", choices=_FAMILIES, help="a family to run; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time; figures are rougher")
    options = parser.parse_args()
    effort = Effort(0.2 if options.quick else 2.0, options.quick)
    limits = build()
    with threadpool_limits(1, "blas"):
        machine = _machine.describe()
        print(f"{_machine.sentence(machine)}.\n\n{_HOW}\n", flush=True)
        tables: dict[str, list[Row]] = {}
        for name in options.only or _FAMILIES:
            family = import_module(f"bench.bench_{name}")
            tables[name] = list(family.rows(limits, effort))
            if not tables[name]:
                print(f"{family.TITLE}: left out, what it stands beside is not installed.\n")
                continue
            print(markdown(family.TITLE, tables[name]) + "\n", flush=True)
    missed = [
        f"{row.work}: {figure}"
        for rows in tables.values()
        for row in rows
        for figure in row.figures
        if figure.reached is False
    ]
    print("Every floor is reached." if not missed else "Missed:\n" + "\n".join(f"- {line}" for line in missed))
    if not options.only and not options.quick:
        _write(machine, tables)
    return 1 if missed else 0


def _write(machine: dict[str, object], tables: dict[str, list[Row]]) -> None:
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{_machine.slug(machine)}.json"
    data = {
        "machine": machine,
        "when": datetime.now(UTC).date().isoformat(),
        "families": {name: [row.as_data() for row in rows] for name, rows in tables.items()},
    }
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    print(f"\nWritten: {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    sys.exit(main())
