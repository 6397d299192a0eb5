"""What is said of a model from outside, by flags or an earlier run, beside what its file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stylizer.errors import BadInput
from stylizer.style.contract import LAYOUTS, ORDERS, RANGES, Fact, How

ALLOWED = {"layout": tuple(LAYOUTS), "range": tuple(RANGES), "order": ORDERS}


@dataclass(frozen=True)
class Given:
    """Parts of the contract told from outside, with how: "flag" or "remembered"."""

    values: dict[str, str] = field(default_factory=dict)
    how: dict[str, How] = field(default_factory=dict)

    def over(
        self, metadata: Mapping[str, Any], path: Path
    ) -> tuple[dict[str, str], dict[str, Fact]]:
        """(values, how each is known): these over the file's metadata.

        Raises BadInput, naming the file, for a value that there is not.
        """
        values: dict[str, str] = {}
        facts: dict[str, Fact] = {}
        for key, allowed in ALLOWED.items():
            value, how = self.values.get(key), self.how.get(key, "flag")
            if value is None and key in metadata:
                value, how = str(metadata[key]), "metadata"
            if value is None:
                continue
            if value not in allowed:
                raise BadInput(
                    f"{path}: there is no {key} {value!r}; choose one of {', '.join(allowed)}"
                )
            values[key], facts[key] = value, Fact(how)
        return values, facts
