"""Runs as their journals tell them, in stages; the screens' tests and pictures are made from these."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from zenni_tui.engine import folders
from zenni_tui.engine.folders import Lock
from zenni_tui.engine.hand import Hand
from zenni_tui.engine.journal import Journal
from zenni_tui.model import events as e
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.runbook import STEPS_OF, RunKind, StepId, TableVerdict, Verdict
from zenni_tui.model.state import replay
from zenni_tui.ui.situation import Situation

RUN_ID = "20261122T101500Z-rehearse-7f3a"
SOURCE = "/srv/zenni/data/bookings.db"
TABLES = (
    ("User", 12_400),
    ("Service", 38),
    ("Booking", 610_000),
    ("BookingItem", 371_250),
    ("Payment", 184_002),
    ("OpeningHours", 14),
    ("Notification", 96_333),
    ("AuditLog", 1_240_118),
    ("Setting", 0),
)
SERVER = e.TargetFacts("db.example.org", 5432, "zenni", "public", "zenni_owner", "17.2")
EMBEDDED = e.TargetFacts("127.0.0.1", 40123, "zenni", "public", "postgres", "18.6", embedded=True)

Stage = Callable[[], Iterable[e.AnyEvent]]


class Story:
    """One run's journal, written stage by stage into a run directory.

    `alive` holds the engine's lock; `held` may be another screen's hand on the run.
    """

    def __init__(self, folder: Path, *, alive: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.held: Hand | None = None
        self.journal = Journal(folder / folders.EVENTS)
        self.lock = Lock(folder / folders.ENGINE_LOCK)
        if alive:
            self.lock.acquire("4242")

    def tell(self, *what: e.AnyEvent) -> None:
        """Append events."""
        for one in what:
            self.journal.append(one)

    def die(self) -> None:
        """Lose the engine without a last word."""
        self.lock.release()

    def close(self) -> None:
        """Put everything away."""
        if self.held is not None:
            self.held.release()
        self.lock.release()
        self.journal.close()


def began(*, live: bool = False, kind: RunKind = RunKind.REHEARSE) -> e.RunStarted:
    """Return the first entry."""
    target = SERVER if live else EMBEDDED
    source = e.SourceFacts(SOURCE)
    return e.RunStarted(RUN_ID, kind, source, target, STEPS_OF[kind], pid=4242, live=live, gated=True)


def reached() -> Iterator[e.AnyEvent]:
    """Yield reach, arm and snapshot."""
    yield e.StepStarted(StepId.REACH)
    yield e.CheckMade(
        StepId.REACH, "source file", ok=True, found="/srv/zenni/data/bookings.db, 412.6 MB, SQLite 3, WAL"
    )
    yield e.CheckMade(
        StepId.REACH, "disk room", ok=True, found="38.1 GB free where the snapshot goes; 0.9 GB are needed"
    )
    yield e.CheckMade(StepId.REACH, "server", ok=True, found="PostgreSQL 18.6, UTF8, reached directly, no pooler")
    yield e.CheckMade(StepId.REACH, "privileges", ok=True, found="may create schemas and tables")
    yield e.CheckMade(
        StepId.REACH,
        "clock",
        ok=None,
        found="the server's clock is 1.4 s ahead",
        advice="Harmless for the copy; set NTP before the switch.",
    )
    yield e.StepDone(StepId.REACH, 0.4, "source and target are there")
    yield e.StepStarted(StepId.ARM)
    yield e.StepDone(StepId.ARM, 0.0, "not asked for")
    yield e.StepStarted(StepId.SNAPSHOT)
    yield e.CheckMade(StepId.SNAPSHOT, "integrity", ok=True, found="ok")
    yield e.SourceSeen(e.SourceFacts(SOURCE, 412_600_000, "9f2c" * 16, 10, 2_514_155))
    yield e.StepDone(StepId.SNAPSHOT, 3.1, "412.6 MB copied in one step, writers waited 0.0 s")


def findings() -> Iterator[e.FindingMade]:
    """Yield findings of all weights."""
    yield e.FindingMade(
        StepId.AUDIT,
        Finding(
            "text_in_integer",
            Severity.WARNING,
            "3 rows hold text in an integer column",
            "Repair: read the text as a number (lossless for these rows).",
            "Booking",
            "durationMinutes",
            3,
            ("1021", "1022", "99817"),
        ),
    )
    yield e.FindingMade(
        StepId.AUDIT,
        Finding(
            "missing_column",
            Severity.ERROR,
            'schema.prisma declares "order", the table has no such column',
            "Add the column to the source by a migration, or remove it from schema.prisma.",
            "Service",
            "order",
        ),
    )
    yield e.FindingMade(
        StepId.AUDIT,
        Finding(
            "not_migrated",
            Severity.INFO,
            "kept in the evidence by rule",
            "Nothing to do.",
            "_prisma_migrations",
            None,
            7,
        ),
    )


def audited() -> Iterator[e.AnyEvent]:
    """Yield inspect and audit."""
    yield e.StepStarted(StepId.INSPECT)
    yield e.CheckMade(StepId.INSPECT, "tables", ok=True, found="10 tables, 84 columns, 21 indexes, 9 foreign keys")
    yield e.StepDone(StepId.INSPECT, 0.1, "10 tables")
    yield e.StepStarted(StepId.AUDIT)
    yield e.Progress(StepId.AUDIT, 10, 10, "tables")
    yield from findings()


def planned() -> Iterator[e.AnyEvent]:
    """Yield the end of the audit and the plan."""
    yield e.StepDone(StepId.AUDIT, 5.2, "2,514,155 rows looked at")
    yield e.StepStarted(StepId.PLAN)
    tables = tuple(e.TableNames(name, name, rows) for name, rows in TABLES)
    yield e.PlanMade("ab" * 32, tables, (e.TableNames("_prisma_migrations", "_prisma_migrations", 7),))
    yield e.CheckMade(StepId.PLAN, "order", ok=True, found="parents before children, no cycle")
    yield e.StepDone(StepId.PLAN, 0.0, "9 tables, 1 not migrated by rule")


def gate() -> e.Waiting:
    """Return the engine's question before the first write."""
    return e.Waiting(
        StepId.PREPARE, "Everything up to here only read. Make 9 tables in the target and copy 2,514,155 rows?"
    )


REPAIRS = (
    Repair("strip_nul", lossless=False, text="remove the NUL characters"),
    Repair("to_value:", lossless=False, text="put one other value in their place: to_value:TEXT"),
)
WIDER = (
    Repair("exclude", lossless=False, text="leave the whole column behind"),
    Repair("type:bigint", lossless=True, text="let the column become bigint"),
)
BLOCKED = e.Problem(
    "3 findings stand in the way; nothing was written.",
    "Booking, Payment",
    '2 values of "Booking"."notes" can\'t become text.',
    "Remove the NUL characters in the source, or choose strip_nul.",
    3,
)


def blockers() -> Iterator[e.FindingMade]:
    """Yield three findings that block, each with other repairs: with an argument, a lossless one, none."""
    error = Severity.ERROR
    what = '2 values of "Booking"."notes" can\'t become text: it holds a NUL character.'
    advice = "Remove the NUL characters in the source, or choose strip_nul."
    keys = ("1021", "1022")
    yield e.FindingMade(StepId.AUDIT, Finding("text_nul", error, what, advice, "Booking", "notes", 2, keys, REPAIRS))
    what = '1 value of "Payment"."amount" can\'t become integer: out of range.'
    advice = "Choose one of the repairs."
    yield e.FindingMade(
        StepId.AUDIT, Finding("integer_out_of_range", error, what, advice, "Payment", "amount", 1, ("7",), WIDER)
    )
    what = "1 row has a key that equals another row's once converted."
    yield e.FindingMade(
        StepId.AUDIT, Finding("duplicate_under_target", error, what, "Change one row.", "User", "email", 1, ("3",))
    )


def blocked() -> Iterator[e.AnyEvent]:
    """Yield inspect, an audit with findings that block, and the plan that fails for them."""
    yield from itertools.islice(audited(), 5)
    yield from blockers()
    yield e.StepDone(StepId.AUDIT, 5.2, "3 error")
    yield e.StepStarted(StepId.PLAN)
    tables = tuple(e.TableNames(name, name, rows) for name, rows in TABLES)
    yield e.PlanMade("cd" * 32, tables)
    yield e.StepFailed(StepId.PLAN, 0.1, BLOCKED)


def asked_for_choices() -> e.Waiting:
    """Return the engine's question when findings block."""
    return e.Waiting(StepId.PLAN, "3 findings block. Choose a repair for each, then go on to try again.")


def copying() -> Iterator[e.AnyEvent]:
    """Yield prepare, and the copy up to its middle."""
    yield e.StepStarted(StepId.PREPARE)
    yield e.CheckMade(StepId.PREPARE, "fingerprint", ok=True, found="the target as it is: 0 tables")
    yield e.StepDone(StepId.PREPARE, 0.3, "9 tables made")
    yield e.StepStarted(StepId.COPY)
    yield e.Said("info", "copy: 2 workers, chunks of 25,000 rows")
    yield e.TableProgress(StepId.COPY, "User", 12_400, 12_400, 2_100_000, 0.3)
    yield e.TableProgress(StepId.COPY, "Service", 38, 38, 4_100, 0.01)
    yield e.TableProgress(StepId.COPY, "Booking", 425_000, 610_000, 81_000_000, 8.1)
    yield e.TableProgress(StepId.COPY, "BookingItem", 125_000, 371_250, 21_400_000, 2.2)
    yield e.Progress(StepId.COPY, 562_438, 2_514_155, "rows", eta=38.0)


def copied() -> Iterator[e.AnyEvent]:
    """Yield the rest of the copy."""
    for name, rows in TABLES:
        yield e.TableProgress(StepId.COPY, name, rows, rows, rows * 170, rows / 50_000)
    yield e.Progress(StepId.COPY, 2_514_155, 2_514_155, "rows", eta=0.0)
    yield e.StepDone(StepId.COPY, 49.7, "2,514,155 rows in 105 chunks")


def indexing() -> Iterator[e.AnyEvent]:
    """Yield the index step up to its middle."""
    yield e.StepStarted(StepId.INDEX)
    yield e.Progress(StepId.INDEX, 14, 40, "objects", eta=9.0, note="unique index Booking_reference_key")


def verifying() -> Iterator[e.AnyEvent]:
    """Yield the end of index, and the verification up to its middle."""
    yield e.StepDone(StepId.INDEX, 11.4, "9 keys, 21 indexes, 9 foreign keys, 1 sequence")
    yield e.StepStarted(StepId.VERIFY)
    for name, rows in TABLES[:2]:
        yield e.TableCompared(name, rows, rows, 0, TableVerdict.IDENTICAL)
    yield e.TableProgress(StepId.VERIFY, "Booking", 300_000, 610_000)
    yield e.Progress(StepId.VERIFY, 312_438, 2_514_155, "rows", eta=44.0)


def verified() -> Iterator[e.AnyEvent]:
    """Yield the rest of the verification."""
    for name, rows in TABLES[2:]:
        yield e.TableCompared(name, rows, rows, 0, TableVerdict.IDENTICAL)
    yield e.Progress(StepId.VERIFY, 2_514_155, 2_514_155, "rows")
    yield e.StepDone(StepId.VERIFY, 21.0, "2,514,155 rows identical")


def undone() -> Iterator[e.AnyEvent]:
    """Yield the way back of a rehearsal."""
    for step in (StepId.INDEX, StepId.COPY):
        yield e.UndoStarted(step)
        yield e.UndoDone(step, 0.2, "taken back")
    yield e.UndoStarted(StepId.PREPARE)
    yield e.UndoDone(StepId.PREPARE, 0.3, "9 objects dropped; target as it was: fingerprint of 12 objects is equal")


def passed() -> Iterator[e.AnyEvent]:
    """Yield catch_up, the report and the end."""
    yield e.StepStarted(StepId.CATCH_UP)
    yield e.StepDone(StepId.CATCH_UP, 0.0, "not asked for")
    yield e.StepStarted(StepId.REPORT)
    yield e.StepDone(StepId.REPORT, 0.1, "the evidence is written")
    yield from undone()
    yield e.RunEnded(Verdict.PASSED, 0, 92.1, 118.0)


LOST = e.Problem(
    "The connection to the target broke during COPY.",
    "table AuditLog, chunk 31 (keys 775001 to 800000)",
    "server closed the connection unexpectedly (SQLSTATE 57P01: terminating connection due to administrator command)",
    "Check the server, then press u: the copy goes on from chunk 31.",
)


def lost() -> Iterator[e.AnyEvent]:
    """Yield a copy that could not be done."""
    yield e.StepFailed(StepId.COPY, 22.0, LOST)
    yield e.RunEnded(Verdict.FAILED, 1, 31.0, 96.0, LOST)


def switching() -> Iterator[e.AnyEvent]:
    """Yield a switch up to its middle."""
    yield e.StepStarted(StepId.SWITCH)
    for act, words in (
        ("build", "build the new side"),
        ("announce", "announce the switch"),
        ("freeze", "refuse writes on the old side"),
        ("drain", "bring the last writes over"),
        ("compare", "compare what changed since the verification"),
    ):
        yield e.ActionStarted(StepId.SWITCH, act, words)
        yield e.ActionDone(StepId.SWITCH, act, 0.2, "done as it was meant", 0.1)
    yield e.ActionStarted(StepId.SWITCH, "counters", "set the counters")


def refused() -> Iterator[e.AnyEvent]:
    """Yield a switch whose counters could not be set, and its way back."""
    yield e.ActionFailed(StepId.SWITCH, "counters", 0.3, LOST)
    for act in ("counters", "compare", "drain", "freeze", "announce", "build"):
        yield e.ActionReverted(StepId.SWITCH, act, 0.1, "as it was")
    yield e.StepFailed(StepId.SWITCH, 2.0, LOST)


def window() -> Iterator[e.AnyEvent]:
    """Yield the end of the switch, and the rollback window with a sign that it may be time to go back."""
    yield e.ActionDone(StepId.SWITCH, "counters", 0.1, "3 counters set")
    for act in ("constraints", "capture", "go_live", "environment", "deploy", "restart", "health", "smoke", "settle"):
        yield e.ActionStarted(StepId.SWITCH, act, f"the action {act}")
        yield e.ActionDone(StepId.SWITCH, act, 0.2, "done", 0.1)
    yield e.StepDone(StepId.SWITCH, 3.0, "on the new side; nobody could write for 2.1 s")
    yield e.StepStarted(StepId.WATCH)
    yield e.WindowOpened(4_000_000_000.0)
    yield e.Progress(StepId.WATCH, 412, 415, "writes carried back")
    yield e.CriterionTripped("health_down_seconds", "not well since 12:00:00: it answers 500", "30 s", "Mia")


UP_TO_PLAN: tuple[Stage, ...] = (reached, audited, planned)
UP_TO_COPY: tuple[Stage, ...] = (*UP_TO_PLAN, copying)
UP_TO_INDEX: tuple[Stage, ...] = (*UP_TO_COPY, copied, indexing)
UP_TO_VERIFY: tuple[Stage, ...] = (*UP_TO_INDEX, verifying)
UP_TO_VERIFIED: tuple[Stage, ...] = (*UP_TO_VERIFY, verified)


def told(stages: Iterable[Stage]) -> list[e.AnyEvent]:
    """Return the events of stages."""
    return list(itertools.chain.from_iterable(stage() for stage in stages))


def at(*what: e.AnyEvent, alive: bool = True) -> Situation:
    """Return the situation after a run's beginning and some more events, one second apart."""
    entries = [e.Entry(n, 1_000.0 + n, one) for n, one in enumerate((began(), *what), 1)]
    return Situation(Path("run"), replay(entries), alive, 1_000.0 + len(entries))
