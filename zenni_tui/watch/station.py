"""The station: looks at one target, judges, remembers, tells, and does what the operator wants done."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator

import msgspec

from zenni_tui.engine import folders, ledger
from zenni_tui.errors import NotReady, Occupied, StepFailed, ZenniError
from zenni_tui.model.baseline import Timing
from zenni_tui.model.codes import CODES
from zenni_tui.model.record import Record
from zenni_tui.model.statistics import Before, before
from zenni_tui.model.vitals import Advised, Alert, Limits, Look, Notify, Remedy, Vital
from zenni_tui.target import deeds, remedies
from zenni_tui.target.connect import Target
from zenni_tui.target.statistics import Probe
from zenni_tui.users import user

from . import judge, notify, outside
from .history import History, file_of
from .signs import there

_WATCH, _ALERTS, _DAY = "watch", "alerts", 86_400.0
"""Deeds of the ledger that carry tasks of the customer's plan."""
_FAILED = -1.0
"""Stands for the time of a query that failed: its turn is over all the same."""
_PATIENCE, _PAUSE, _MINUTE = 60.0, 0.1, 60.0


class Watched(Record, frozen=True):
    """What is watched, and how; the ledger of `source`, where one is named, learns that it is."""

    limits: Limits = Limits()
    notify: Notify = Notify()
    baseline: tuple[Timing, ...] = ()
    source: str = ""


class Station:
    """Looks when asked; one look at a time."""

    def __init__(self, target: Target, watched: Watched) -> None:
        self.target = target
        self.watched = watched
        self.history = History(file_of(target.parameters), watched.limits.history_days)
        self._probe = Probe(target)

    async def look(self) -> Look:
        """Look once, remember it, and tell whom it concerns."""
        began = time.time()
        async with self._alone():
            vitals, seen = await self._see()
            old = self.history.alerts()
            alerts = judge.settle(vitals, old, began, self.watched.limits.ignore)
            raised, cleared = judge.changed(old, alerts)
            self.history.settle(alerts, [(True, a) for a in raised] + [(False, a) for a in cleared])
            self.history.keep(began, vitals, seen)
            told = await notify.tell(self.history, self.watched.notify, self.target.label(), folders.state_home())
            self._note(_WATCH, f"{len(vitals)} vitals of {self.target.label()} seen, {len(alerts)} raised", seen)
            self._note(_ALERTS, f"{told.delivered} messages delivered", told.delivered)
        seconds, graphs = round(time.time() - began, 3), self.history.graphs()
        known = tuple(map(advised, alerts))
        return Look(began, self.target.label(), seconds, vitals, known, raised, cleared, told.notes, graphs)

    async def rehearse(self) -> None:
        """Send a message that says it is a test by all the ways of [notify]; raises StepFailed when one fails."""
        alert = Alert("watch_test", "test", "reach", "This is a test: nothing is wrong.", 0.0, time.time(), time.time())
        why = await notify.deliver(self.watched.notify, alert, self.target.label(), folders.state_home())
        if why:
            raise StepFailed(
                "The test message was not delivered.",
                where="[notify]",
                why="; ".join(why),
                next_step="Mend the command or the webhook, then try again: zenni-tui watch --test.",
            )
        self._note(_ALERTS, "a test message delivered", happened=True)

    def _note(self, name: str, words: str, happened: object) -> None:
        """Tell the ledger, once a day."""
        source, now = self.watched.source, time.time()
        if not (source and happened):
            return
        if not any(d.name == name and d.ok and d.at > now - _DAY for d in ledger.read(source)):
            ledger.note(source, name, user(), words)

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep cron's look and a screen's apart, or both would raise the same alarm; raises Occupied."""
        lock = folders.Lock(self.history.path.with_suffix(".lock"))
        deadline = time.monotonic() + _PATIENCE
        while not lock.acquire(str(os.getpid())):
            if time.monotonic() > deadline:
                raise Occupied(
                    "Another watch is at work on this target and does not come to an end.",
                    where=str(lock.path),
                    why=f"Process {folders.holder(lock.path)} has held it for more than {_PATIENCE:.0f} s.",
                    next_step="See what that process waits for, perhaps a [notify] command; end it, and look again.",
                )
            await asyncio.sleep(_PAUSE)
        try:
            yield
        finally:
            lock.release()

    async def _see(self) -> tuple[tuple[Vital, ...], Before | None]:
        began = time.monotonic()
        try:
            facts = await self._probe.read()
        except NotReady as error:
            return (_away(error),), None
        known = self.history.before()
        now = before(facts, known)
        seconds = time.monotonic() - began
        reach = Vital("reach", "reach", f"answers, all read in {seconds * 1000:.0f} ms", seconds)
        vitals = judge.vitals(facts, known, self.watched.limits)
        return (reach, *vitals, await outside.error_rate(self.watched.limits), await self._timings()), now

    async def _timings(self) -> Vital:
        """Time the query whose turn it is: one a look, at a slow pace."""
        limits, baseline = self.watched.limits, self.watched.baseline
        last = {name: times[-1][0] for name, times in self.history.timings(1).items()}
        due = min(baseline, key=lambda query: last.get(query.name, 0.0), default=None)
        why = ""
        if due is not None and last.get(due.name, 0.0) <= time.time() - limits.query_minutes * _MINUTE:
            taken_ms = _FAILED
            try:
                taken_ms = await self._probe.timed(due.sql)
            except StepFailed as error:
                why = f"{due.name}: {error.why}"
            self.history.timed(due.name, time.time(), taken_ms)
        known = self.history.timings(outside.TIMES)
        taken = {name: tuple(ms for _, ms in times if ms != _FAILED) for name, times in known.items()}
        return msgspec.structs.replace(outside.timings(baseline, taken, limits), unseen=why)

    def apply(self, alert: Alert, remedy: Remedy) -> None:
        """Do what a remedy says, recorded here and in the target; raises ZenniError."""
        self._probe.forget()
        by, done, began = user(), "; ".join(remedy.sql), time.time()
        try:
            deeds.do(self.target, alert.code, remedy, by)
        except ZenniError as error:
            self.history.deed(began, by, alert.code, done, error.why or error.what)
            raise
        self.history.deed(began, by, alert.code, done, "done")

    def close(self) -> None:
        """Let go of the target."""
        self._probe.close()


def advised(alert: Alert) -> Advised:
    """Return an alert with what its code means and what would help."""
    return Advised(alert, CODES[alert.code], remedies.remedies(alert))


def _away(error: NotReady) -> Vital:
    text = " ".join(filter(None, (error.what, error.why)))
    sign = there("watch_unreachable", "target", text)
    return Vital("reach", "reach", error.what, None, unseen=error.next_step, signs=(sign,))
