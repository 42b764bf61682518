"""Judges a run's findings by those a trap wants."""

from collections import Counter
from typing import Any

from traps.words import Trap, Want


def matches(want: Want, finding: dict[str, Any]) -> bool:
    """Return whether a finding is the wanted one, by all but its count and keys."""
    place = want.table == "*" or (finding["table"] or "") in (want.table or "").split("|")
    column = want.column == "*" or (want.column or None) == (finding["column"] or None)
    return (
        place
        and column
        and finding["code"] in want.code.split("|")
        and finding["severity"] in (*want.severity.split("|"), "error" if want.choose else "")
    )


def _merged(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one finding for each code, place and severity: several reasons may have been told apart."""
    made: dict[tuple[str, ...], dict[str, Any]] = {}
    for finding in findings:
        place = tuple(str(finding[k]) for k in ("code", "table", "column", "severity"))
        known = made.setdefault(place, {**finding, "count": 0, "keys": []})
        known["count"] += finding["count"]
        known["keys"] = [*known["keys"], *finding["keys"]]
    return list(made.values())


def _same(want: Want, finding: dict[str, Any]) -> bool:
    count = want.count in (None, finding["count"])
    return count and (want.keys is None or Counter(want.keys) == Counter(finding["keys"]))


def brief(finding: dict[str, Any]) -> str:
    """Return a finding in one line."""
    words = " ".join(str(finding[k]) for k in ("severity", "code", "table", "column", "count", "keys"))
    return f"{words} | {finding['message'][:140]} | {[r['id'] for r in finding.get('repairs', ())]}"


def complain(trap: Trap, findings: list[dict[str, Any]]) -> str:
    """Return what is wrong with a trap's findings in its first run, in words; empty when they are the wanted ones."""
    found = _merged([f for f in findings if not f["code"].startswith("review_")])
    listed = "\n".join(map(brief, found)) or "nothing"
    for want in trap.wants:
        near = [f for f in found if matches(want, f)]
        if not any(_same(want, f) for f in near):
            return f"wanted {want}\nfound:\n{listed}"
        offered = [r["id"] for f in near for r in f["repairs"]]
        lacking = [o for o in want.offers if not any(i.startswith(o) for i in offered)]
        if lacking:
            return f"{want.code} does not offer {lacking} but {offered}"
        found = [f for f in found if f not in near]
    extra = [f for f in found if f["severity"] != "info" and not (f["code"] in trap.may and f["severity"] == "warning")]
    return "not expected:\n" + "\n".join(map(brief, extra)) if extra else ""
