"""What was measured on one machine, family by family, as data and as a JSON file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastgrad._bench.rows import Row


@dataclass(frozen=True)
class Family:
    """Comparisons of one kind, made in one run.

    Attributes
    ----------
    title : str
        What they compare.
    when : str
        The date, as ISO 8601 has it.
    software : mapping
        What `fastgrad._bench.machine.software` said then.
    effort : float
        The seconds spent on a row.
    took : float or None
        The seconds that all took; None where that was not kept.
    rows : sequence of Row
        The comparisons.
    """

    title: str
    when: str
    software: Mapping[str, Any]
    effort: float
    took: float | None
    rows: Sequence[Row]

    def as_data(self) -> dict[str, Any]:
        """Return the family as plain data."""
        return {**vars(self), "software": dict(self.software), "rows": [row.as_data() for row in self.rows]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Family":
        """Return the family that `as_data` made this of."""
        return cls(**{**data, "rows": [Row.from_data(row) for row in data["rows"]]})


@dataclass(frozen=True)
class Record:
    """All families that were measured on one machine, each in its own last run."""

    machine: Mapping[str, Any]
    families: Mapping[str, Family]

    def with_family(self, name: str, family: Family) -> "Record":
        """Return a record in which this family is the newer one; the others stay as they are."""
        return replace(self, families={**self.families, name: family})

    @property
    def when(self) -> str:
        """The date of the newest family; empty where there is none."""
        return max((family.when for family in self.families.values()), default="")

    def as_data(self) -> dict[str, Any]:
        """Return the record as plain data."""
        families = {name: family.as_data() for name, family in self.families.items()}
        return {"machine": dict(self.machine), "families": families}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Record":
        """Return the record that `as_data` made this of."""
        return cls(data["machine"], {name: Family.from_data(one) for name, one in data["families"].items()})

    def write(self, path: Path) -> None:
        """Write the record as JSON."""
        path.write_text(json.dumps(self.as_data(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
