"""Choices of repairs: when they are taken, which need a text, how one stands in the config. Pure."""

import json
from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from zenni_tui.model import events as e
from zenni_tui.model.choices import CAST
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import parse_type

from .situation import Situation
from .words import Tone

NAME_BYTES = 63
"""The longest name PostgreSQL keeps (https://www.postgresql.org/docs/current/limits.html)."""

LOSSLESS, CHANGES = "LOSSLESS", "CHANGES DATA"

PROMPTS = {
    "to_value": "the value for all of them; empty for an empty text",
    "zone": "a time zone, such as Europe/Helsinki",
    "rename": "the name in the target",
    "type": "a type, such as numeric(10,2)",
}


class Way(NamedTuple):
    """One line of what can be done about a finding: a repair, or None to choose nothing."""

    repair: Repair | None


def action_of(repair: str) -> str:
    """Return a repair's name without its argument."""
    return repair.partition(":")[0]


def argument_of(repair: str) -> str:
    """Return a repair's argument."""
    return repair.partition(":")[2]


def needs_text(repair: Repair) -> bool:
    """Return whether a repair says nothing until the operator gives it a text."""
    return repair.id.endswith(":")


def takes_text(repair: Repair) -> bool:
    """Return whether a repair may be taken with another text than the one proposed."""
    return needs_text(repair) or (":" in repair.id and action_of(repair.id) in PROMPTS)


def refusal(action: str, text: str) -> str:
    """Return why a text can't be a repair's argument; empty when it can, as far as can be told from here."""
    try:
        if action == "type":
            parse_type(text)
        elif action == "zone":
            ZoneInfo(text)
        elif action == "rename" and not 0 < len(text.encode()) <= NAME_BYTES:
            return f"A name has 1 to {NAME_BYTES} bytes; this one has {len(text.encode())}."
    except (ValueError, OSError, LookupError):
        return f"{text!r} is not {PROMPTS[action]}." if text else f"Write {PROMPTS[action]}."
    return ""


def weight(repair: Repair) -> tuple[str, Tone]:
    """Return in words whether a repair changes data."""
    return (LOSSLESS, Tone.GOOD) if repair.lossless else (CHANGES, Tone.WARN)


def ways(finding: Finding) -> tuple[Way, ...]:
    """Return what can be chosen, no choice first; empty when nothing is on offer."""
    return (Way(None), *(Way(r) for r in finding.repairs)) if finding.repairs else ()


def first_way(finding: Finding) -> int:
    """Return where the cursor stands at first: what is chosen, else the first lossless repair, else no choice."""
    for number, way in enumerate(ways(finding)):
        if way.repair and finding.chosen and _fits(way.repair, finding.chosen):
            return number
    lossless = (n for n, way in enumerate(ways(finding)) if way.repair and way.repair.lossless)
    return 0 if finding.chosen else next(lossless, 0)


def _fits(repair: Repair, chosen: str) -> bool:
    return repair.id == chosen or (takes_text(repair) and action_of(repair.id) == action_of(chosen))


def blocks(finding: Finding) -> bool:
    """Return whether a finding forbids writing."""
    return finding.severity is Severity.ERROR and finding.chosen is None


def choice_word(finding: Finding) -> tuple[str, Tone]:
    """Return what is chosen for a finding, or what there is to do."""
    if finding.chosen:
        return finding.chosen, Tone.GOOD
    if blocks(finding):
        return ("choose", Tone.BAD) if finding.repairs else ("no repair", Tone.BAD)
    return ("optional", Tone.DIM) if finding.repairs else ("", Tone.DIM)


def when(now: Situation) -> str:
    """Return when a choice can be made; empty when it can be made now."""
    if now.held_by:
        return f"{now.held_by} has control of this run. Press o to take it over."
    if now.over:
        return "This run is over. A new run asks again; or write the choice into the config."
    if not now.state.gated:
        return "This run doesn't wait for choices. Write it into the config, or start a run from the first screen."
    if now.state.waiting and not now.asked:
        return ""
    return "Choices are taken while the engine waits for you: after the plan, or before the first write."


def toml_line(key: str, value: str) -> str:
    """Return a line of TOML; both sides are quoted."""
    return f"{json.dumps(key, ensure_ascii=False)} = {json.dumps(value, ensure_ascii=False)}"


def config_line(finding: Finding, repair: str) -> tuple[str, str]:
    """Return the section of the config that keeps a choice, and its line there."""
    if finding.code == CAST:
        return "[schema.casts]", toml_line(f"{finding.table}.{finding.column}", argument_of(repair))
    return "[schema.repairs]", toml_line(finding.id, repair)


class Changes:
    """Whether choices have changed since the engine began to wait: then it audits again before it writes."""

    def __init__(self) -> None:
        self._chosen: dict[str, str | None] = {}
        self._asked: dict[str, str | None] = {}

    def hear(self, entries: Iterable[e.Entry]) -> bool:
        """Take note of entries; return whether anything is different now."""
        for what in (entry.what for entry in entries):
            if isinstance(what, e.FindingMade):
                self._chosen[what.finding.id] = what.finding.chosen
            elif isinstance(what, e.Chosen):
                self._chosen[what.finding] = what.repair or None
            elif isinstance(what, e.Waiting):
                self._asked = dict(self._chosen)
        return self._chosen != self._asked
