"""The files under bench/results that hold figures: one for each machine, each family with the date of its last run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastgrad._bench import machine
from fastgrad._bench.record import Family, Record

FOLDER = Path(__file__).with_name("results")


def keep(here: Mapping[str, Any], name: str, family: Family) -> Path:
    """Put a family in the place of its last run on this machine; return the file."""
    path = FOLDER / f"{machine.slug(here)}.json"
    record = Record.from_data(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Record(here, {})
    record.with_family(name, family).write(path)
    return path


def records() -> list[Record]:
    """Return what is known of all machines, the one measured last first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    kept = [Record.from_data(data) for data in found if "machine" in data]
    return sorted(kept, key=lambda record: record.when, reverse=True)
