"""What a run was asked to do; it holds no secret, so it can lie in the run directory."""

import msgspec

from .application import Application, Rollback
from .choices import Choices
from .questions import Questions
from .record import Record
from .runbook import Meanwhile, RunKind
from .tasks import Timeline
from .upkeep import Upkeep


class Bounds(Record, frozen=True):
    """What a target may be made to bear, in MB of 10^6 bytes; 0: anything.

    WAL that a standby is behind, the database, and what is to stay free on the disk of a server of this machine.
    """

    lag_mb: float = 1024.0
    size_mb: float = 0.0
    free_mb: float = 1024.0


class Request(Record, frozen=True):
    """One run's orders.

    `target` holds libpq connection parameters without a password, or None for an embedded PostgreSQL that lives and
    dies with the run. `chunk_rows` bounds one COPY, `retry_minutes` how long a target that is away is tried again.
    `demo` is the folder of the demo that the run belongs to, if any. `assertions` are the customer's queries by name,
    `assertions_target` their PostgreSQL forms where given. `application_role` is the role of the target that the
    application logs in as, empty when it is ours; `second_copy` a folder for another copy of the snapshot, or empty.
    A migration must have been rehearsed within `rehearsal_hours` (0: need not), unless `confirmed`, which is the word
    that the operator typed, says otherwise. `meanwhile` is what becomes of the application's writes after the snapshot.
    With `prove_backup` the result is dumped and the dump restored for proof; `upkeep` is what the documents tell of the
    time afterwards, `timeline` the plan's dates and owners. `rung` is the only check of the target that is wanted, or
    empty for all. `baseline` names the migration that is to be entered in Prisma's history as applied, or empty.
    """

    run_id: str
    kind: RunKind
    source: str
    target: dict[str, str] | None = None
    schema: str = "public"
    prisma_schema: str | None = None
    keep: bool = False
    gated: bool = False
    workers: int = 2
    chunk_rows: int = 25_000
    retry_minutes: float = 10.0
    choices: Choices = Choices()
    demo: str | None = None
    application_role: str = ""
    second_copy: str = ""
    rehearsal_hours: float = 0.0
    confirmed: str = ""
    rung: str = ""
    prove_backup: bool = False
    baseline: str = ""
    upkeep: Upkeep = Upkeep()
    timeline: Timeline = Timeline()
    bounds: Bounds = Bounds()
    meanwhile: Meanwhile = Meanwhile.NOTHING
    assertions: dict[str, str] = msgspec.field(default_factory=dict)
    assertions_target: dict[str, str] = msgspec.field(default_factory=dict)
    application: Application = Application()
    rollback: Rollback = Rollback()
    questions: Questions = Questions()

    @property
    def embedded(self) -> bool:
        """Return whether the target is an embedded PostgreSQL of the run's own."""
        return self.target is None


class Command(Record, frozen=True):
    """One line to the engine's control socket.

    `name` is `stop`, `rollback`, `go`, `pause`, `unpause`, `throttle`, `choose`, `switch`, `finish` or `ping`.
    `choose` takes `finding` (its id) and `repair` (its id, empty to take a choice back). `throttle` takes what is to
    change: `workers`, `rows` or `mb` (of 10^6 bytes) a second, 0 for no limit, `chunk` rows in one transaction, 0 as
    planned. `switch`, `finish`, after go-live `rollback`, and a `go` that is waited for with a word take `why` and
    `word`, which is what was typed.
    """

    name: str
    by: str = ""
    finding: str = ""
    repair: str = ""
    workers: int | None = None
    rows: int | None = None
    mb: float | None = None
    chunk: int | None = None
    why: str = ""
    word: str = ""


class Reply(Record, frozen=True):
    """The engine's answer to a command; `heard` is false when there was no engine to hear it."""

    ok: bool
    message: str
    heard: bool = True
