"""What is wrong, by the limits of the config: raised once, cleared once. Pure."""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from zenni_tui.model.statistics import Before, Facts
from zenni_tui.model.vitals import Alert, Limits, Sign, Vital

from . import rules, sessions, storage, work

ASLEEP_SECONDS = 3600.0
"""What no new sign speaks of stays raised so long."""

Key = tuple[str, str]


def vitals(facts: Facts, before: Before | None, limits: Limits) -> tuple[Vital, ...]:
    """Return what the target's own statistics tell, in the order of the screen."""
    return (
        sessions.connections(facts, limits),
        sessions.pools(facts, limits),
        work.queries(facts, before, limits),
        sessions.locks(facts, limits),
        sessions.transactions(facts, limits),
        work.cache(facts, before, limits),
        work.counters(facts, before, limits),
        storage.dead_rows(facts, limits),
        storage.bloat(facts, limits),
        storage.tables(facts),
        rules.indexes(facts, before, limits),
        rules.foreign_keys(facts, limits),
        rules.constraints(facts),
        rules.sequences(facts, limits),
        storage.row_security(facts),
        storage.replication(facts, limits),
        storage.disk(facts, limits),
    )


def settle(
    found: Sequence[Vital], raised: Iterable[Alert], now: float, ignored: Sequence[str] = ()
) -> tuple[Alert, ...]:
    """Return what is raised now, given what was: nothing flickers between a limit and the lower one that clears it.

    What can't be seen at the moment stays as it was; `ignored` are codes, or code/subject, with * for anything.
    """
    old = {alert.key: alert for alert in raised}
    # Of several signs of one subject, as of a query that runs twice, the worst stands for all.
    worst = sorted(((s.value, v.id, s) for v in found for s in v.signs), key=lambda item: item[0])
    signs = {(s.code, s.subject): (vital, s) for _, vital, s in worst}
    kept = [a for key, a in old.items() if _stays(a, signs.get(key), found, now)]
    fresh = [
        Alert(s.code, s.subject, vital, s.text, s.value, _since(old.get(key), now), now, s.names)
        for key, (vital, s) in signs.items()
        if not s.asleep and s.value >= (s.clear_at if key in old else s.raise_at)
    ]
    known = {a.key for a in fresh}
    alerts = [*fresh, *(a for a in kept if a.key not in known)]
    return tuple(sorted((a for a in alerts if not _accepted(a, ignored)), key=lambda a: (a.since, a.key)))


def _accepted(alert: Alert, ignored: Iterable[str]) -> bool:
    names = (alert.code, f"{alert.code}/{alert.subject}")
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in ignored for name in names)


def _since(old: Alert | None, now: float) -> float:
    return old.since if old else now


def _stays(alert: Alert, sign: tuple[str, Sign] | None, found: Iterable[Vital], now: float) -> bool:
    if not any(v.id == alert.vital and not v.blind for v in found):
        return True
    return sign is not None and sign[1].asleep and now - alert.seen < ASLEEP_SECONDS


def changed(old: Iterable[Alert], new: Iterable[Alert]) -> tuple[tuple[Alert, ...], tuple[Alert, ...]]:
    """Return what is newly raised and what has cleared."""
    before: Mapping[Key, Alert] = {a.key: a for a in old}
    after: Mapping[Key, Alert] = {a.key: a for a in new}
    raised = tuple(a for key, a in after.items() if key not in before)
    cleared = tuple(a for key, a in before.items() if key not in after)
    return raised, cleared


def told(alert: Alert) -> dict[str, object]:
    """Return an alert as others are told of it."""
    parts: dict[str, object] = msgspec.to_builtins(alert)
    return {k: parts[k] for k in ("code", "subject", "vital", "text", "value", "since")}
