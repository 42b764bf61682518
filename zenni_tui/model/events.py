"""The journal's entries: everything that any screen, report or script may know about a run."""

from .findings import Finding
from .record import Record
from .runbook import Meanwhile, RunKind, StepId, TableVerdict, Verdict


class Problem(Record, frozen=True):
    """What went wrong, in the four parts an operator needs."""

    what: str
    where: str = ""
    why: str = ""
    next_step: str = ""
    exit_code: int = 1


class SourceFacts(Record, frozen=True):
    """The source as the run knows it; `bytes` and `sha256` are the snapshot's.

    What was committed before `as_of`, in seconds since 1970 UTC, is in the snapshot; 0 when there is none yet.
    """

    path: str
    bytes: int = 0
    sha256: str = ""
    tables: int = 0
    rows: int = 0
    as_of: float = 0.0


class TargetFacts(Record, frozen=True):
    """The target, never with a password."""

    host: str
    port: int
    database: str
    schema: str
    user: str = ""
    server_version: str = ""
    embedded: bool = False


class ColumnNames(Record, frozen=True):
    """One column on its way: its name on both sides."""

    source: str
    target: str


class TableNames(Record, frozen=True):
    """One table on its way: names on both sides and the rows to carry; `columns` pairs them when a name changes."""

    source: str
    target: str
    rows: int
    columns: tuple[ColumnNames, ...] = ()


class Event(Record, frozen=True, tag_field="event"):
    """The base of all entries."""


class RunStarted(Event, frozen=True, tag="run_started"):
    """The engine begins or goes on; `gated` runs wait for the operator before the first write."""

    run_id: str
    kind: RunKind
    source: SourceFacts
    target: TargetFacts
    steps: tuple[StepId, ...]
    pid: int
    live: bool = False
    keep: bool = False
    gated: bool = False
    meanwhile: Meanwhile = Meanwhile.NOTHING


class StepStarted(Event, frozen=True, tag="step_started"):
    """A step begins."""

    step: StepId


class StepDone(Event, frozen=True, tag="step_done"):
    """A step ended well."""

    step: StepId
    seconds: float
    summary: str


class StepFailed(Event, frozen=True, tag="step_failed"):
    """A step could not be done."""

    step: StepId
    seconds: float
    problem: Problem


class StepStopped(Event, frozen=True, tag="step_stopped"):
    """A step stopped at a safe point; resume goes on from there."""

    step: StepId
    seconds: float


class UndoStarted(Event, frozen=True, tag="undo_started"):
    """A step's work is being taken back."""

    step: StepId


class UndoDone(Event, frozen=True, tag="undo_done"):
    """A step's work has been taken back."""

    step: StepId
    seconds: float
    summary: str


class UndoFailed(Event, frozen=True, tag="undo_failed"):
    """A step's work could not be taken back."""

    step: StepId
    problem: Problem


class CheckMade(Event, frozen=True, tag="check_made"):
    """One check: what was looked at (`tried`), what was found, what to do; `ok` None means not judged."""

    step: StepId
    name: str
    ok: bool | None
    found: str
    advice: str = ""
    tried: str = ""


class FindingMade(Event, frozen=True, tag="finding_made"):
    """A finding came to light."""

    step: StepId
    finding: Finding


class Chosen(Event, frozen=True, tag="chosen"):
    """Somebody chose a repair for a finding, or took the choice back (empty)."""

    finding: str
    repair: str
    by: str


class SourceSeen(Event, frozen=True, tag="source_seen"):
    """More is known of the source."""

    source: SourceFacts


class TargetSeen(Event, frozen=True, tag="target_seen"):
    """More is known of the target."""

    target: TargetFacts


class PlanMade(Event, frozen=True, tag="plan_made"):
    """The plan stands; in `not_migrated` the target's name is the rule that leaves the table out."""

    hash: str
    tables: tuple[TableNames, ...]
    not_migrated: tuple[TableNames, ...] = ()


class Progress(Event, frozen=True, tag="progress"):
    """How far the running step is, in its own unit; `eta` in seconds, None when unknown."""

    step: StepId
    done: int
    total: int
    unit: str
    eta: float | None = None
    note: str = ""


class TableProgress(Event, frozen=True, tag="table_progress"):
    """How far one table is in a step; `bytes` counts what was sent to the target."""

    step: StepId
    table: str
    rows: int
    total: int
    bytes: int = 0
    seconds: float = 0.0


class TableCompared(Event, frozen=True, tag="table_compared"):
    """One table was compared wholly."""

    table: str
    rows_source: int
    rows_target: int
    rows_differing: int
    verdict: TableVerdict
    why: str = ""
    rows_repaired: int = 0
    rows_quarantined: int = 0


class Lagging(Event, frozen=True, tag="lagging"):
    """How far the target is behind the source: changes not applied yet, and how many seconds the oldest has waited.

    Of the seconds since it was last told the worst counts.
    """

    step: StepId
    changes: int
    seconds: float

    @property
    def words(self) -> str:
        """Return it in words."""
        if not self.changes:
            return f"in step with the source, {self.seconds:.1f} s behind it at most"
        return f"{self.changes:,} change{'s' if self.changes > 1 else ''} behind, {self.seconds:.1f} s"


class Prediction(Record, frozen=True):
    """What a step will take, in seconds: least, median and most of what earlier runs tell."""

    step: StepId
    low: float
    typical: float
    high: float


class Expected(Event, frozen=True, tag="expected"):
    """What the steps will take by the figures of so many earlier runs, on this target or on embedded servers."""

    steps: tuple[Prediction, ...]
    runs: int
    same_target: bool

    @property
    def words(self) -> str:
        """Return the sum in words."""
        low, typical, high = (sum(getattr(s, k) for s in self.steps) for k in ("low", "typical", "high"))
        where = "on this target" if self.same_target else "into embedded servers: this target may be slower"
        runs = "1 run" if self.runs == 1 else f"{self.runs} runs"
        bounds = "" if _span(low) == _span(high) else f" ({_span(low)} to {_span(high)})"
        return f"about {_span(typical)} in all{bounds}, from {runs} {where}"


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"  # noqa: PLR2004 - minutes are coarse below


class Waiting(Event, frozen=True, tag="waiting"):
    """The engine waits for the operator's word before this step; `word` is what has to be typed, if anything has."""

    step: StepId
    question: str
    word: str = ""


class Commanded(Event, frozen=True, tag="commanded"):
    """Somebody gave the engine a command."""

    command: str
    by: str


class Retrying(Event, frozen=True, tag="retrying"):
    """The target is away and will be tried again.

    `since`, `next` and `until`, the end of the budget, are seconds since 1970.
    """

    step: StepId
    what: str
    where: str
    why: str
    since: float
    next: float
    until: float
    attempt: int

    def story(self, now: float) -> str:
        """Return how it stands at a moment, such as `..., 12 s ago; trying again in 4 s, 9 min left`."""
        wait, left = max(0.0, self.next - now), max(0.0, self.until - now)
        again = f"trying again in {wait:.0f} s" if wait else "trying again now"
        budget = f"{left / 60:.0f} min" if left >= 60 else f"{left:.0f} s"  # noqa: PLR2004 - a minute
        return f"{self.what}, {max(0.0, now - self.since):.0f} s ago; {again}, {budget} left"


class Recovered(Event, frozen=True, tag="recovered"):
    """The target does its work again; it was away for that many seconds."""

    step: StepId
    seconds: float
    attempts: int


class Paused(Event, frozen=True, tag="paused"):
    """Somebody paused the run: no transaction is open on the target."""

    by: str


class Unpaused(Event, frozen=True, tag="unpaused"):
    """Somebody let a paused run go on."""

    by: str


class Throttled(Event, frozen=True, tag="throttled"):
    """What holds for the copy now; 0 rows or MB (of 10^6 bytes) a second means without a limit.

    `chunk_rows` are the rows of one transaction, 0 for as many as planned.
    """

    workers: int
    rows_per_second: int = 0
    mb_per_second: float = 0.0
    by: str = ""
    chunk_rows: int = 0

    @property
    def limits(self) -> str:
        """Return the limits of speed in words, empty without any."""
        parts = [f"{self.rows_per_second:,} rows/s"] if self.rows_per_second else []
        parts += [f"{self.mb_per_second:g} MB/s"] if self.mb_per_second else []
        return ", ".join(parts)

    @property
    def words(self) -> str:
        """Return all of it in words."""
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        chunks = f", chunks of {self.chunk_rows:,} rows" if self.chunk_rows else ""
        return f"{workers}, {self.limits or 'no limit of speed'}{chunks}"


class Eased(Event, frozen=True, tag="eased"):
    """How many workers work now of those that are wished for, and what made the run change their number."""

    workers: int
    wished: int
    why: str

    @property
    def words(self) -> str:
        """Return it in a sentence or two."""
        number = f"{self.workers} of {self.wished} workers" if self.workers < self.wished else "all workers"
        return f"{self.why} Going on with {number}."


class Decided(Event, frozen=True, tag="decided"):
    """Somebody decided on a step that a person answers for; `word` is what was typed, `overrides` what it waives."""

    step: StepId
    by: str
    why: str = ""
    word: str = ""
    overrides: tuple[str, ...] = ()


class ActionStarted(Event, frozen=True, tag="action_started"):
    """An action of a step begins."""

    step: StepId
    action: str
    words: str


class ActionDone(Event, frozen=True, tag="action_done"):
    """An action is done; of its seconds the application's own commands and answers took `theirs`.

    `since` tells, in seconds since 1970, since when it had been done already, before anybody asked; 0 for just now.
    """

    step: StepId
    action: str
    seconds: float
    summary: str = ""
    theirs: float = 0.0
    since: float = 0.0


class ActionFailed(Event, frozen=True, tag="action_failed"):
    """An action could not be done, or not be taken back."""

    step: StepId
    action: str
    seconds: float
    problem: Problem


class ActionReverted(Event, frozen=True, tag="action_reverted"):
    """An action was taken back."""

    step: StepId
    action: str
    seconds: float
    summary: str = ""


class CriterionTripped(Event, frozen=True, tag="criterion_tripped"):
    """One of the operator's own signs that it may be time to go back; nothing happens by itself."""

    criterion: str
    found: str
    limit: str
    decides: str = ""


class WindowOpened(Event, frozen=True, tag="window_opened"):
    """From now on what is written on the new side goes to the old one as well; `deadline` in seconds since 1970."""

    deadline: float


class Said(Event, frozen=True, tag="said"):
    """One line of narration; level is `info`, `warning` or `error`."""

    level: str
    text: str


class RunEnded(Event, frozen=True, tag="run_ended"):
    """The engine has nothing more to do."""

    verdict: Verdict
    exit_code: int
    seconds: float
    peak_rss_mb: float
    problem: Problem | None = None


AnyEvent = (
    RunStarted
    | StepStarted
    | StepDone
    | StepFailed
    | StepStopped
    | UndoStarted
    | UndoDone
    | UndoFailed
    | CheckMade
    | FindingMade
    | Chosen
    | SourceSeen
    | TargetSeen
    | PlanMade
    | Progress
    | TableProgress
    | TableCompared
    | Lagging
    | Expected
    | Waiting
    | Commanded
    | Retrying
    | Recovered
    | Paused
    | Unpaused
    | Throttled
    | Eased
    | Decided
    | ActionStarted
    | ActionDone
    | ActionFailed
    | ActionReverted
    | CriterionTripped
    | WindowOpened
    | Said
    | RunEnded
)


class Entry(Record, frozen=True):
    """A numbered, dated event; `at` is seconds since 1970 UTC."""

    number: int
    at: float
    what: AnyEvent
