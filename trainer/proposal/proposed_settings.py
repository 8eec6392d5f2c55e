"""A proposal: settings, with the reasons for them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Proposal:
    """Proposed settings.

    Attributes:
        settings: as in ``segue.toml``.
        used: what each table of the shop is for, in words, by its name.
        reads: the shop's column of each of Segue's columns, by Segue's table.
        reasons: sentences by the place where they stand: ``""`` for the beginning, ``features``,
            ``preset``, ``whole_ids``, ``exclude_statuses``, ``tables.orders`` and so on.
        others: settings that could be chosen instead, each a line, by the place likewise.
        left_out: columns that are no features, with the reason, by the table's name.
        warnings: what the values do not say and a person must check.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    reads: dict[str, dict[str, str]] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def say(self, place: str, *sentences: str) -> None:
        """Add reasons."""
        self.reasons.setdefault(place, []).extend(sentences)

    def offer(self, place: str, *lines: str) -> None:
        """Add lines that could be chosen instead."""
        self.others.setdefault(place, []).extend(lines)

    def drop(self, feature: str, why: str) -> None:
        """Take a feature out again, with its declaration and the column that only it reads."""
        self.settings["features"].remove(feature)
        self.say("features", f"{feature} is no feature: {why}.")
        declared = self.settings.get("declare", {})
        source = declared.pop(feature, {}).get("source", "")
        if not declared:
            self.settings.pop("declare", None)
        if "." in source and all(other["source"] != source for other in declared.values()):
            for names in self.settings.get("columns", {}).values():
                names.pop(source.partition(".")[2], None)
