"""What the target says of itself at one moment: figures as read, nothing judged. Seconds, bytes and rows throughout."""

import msgspec

from .record import Record


class ServerFacts(Record, frozen=True):
    """The server and the role that looks; `most` are the connections open to ordinary roles, `database_most` -1: any.

    `statements` is the schema of pg_stat_statements, empty where it isn't; `wraparound` the age of the oldest
    transaction id, of 2^31; `counted` are the seconds since the statistics were reset, -1 for never.
    """

    version: int
    role: str
    most: int
    database_most: int
    monitor: bool
    standby: bool
    read_only: bool
    autovacuum: bool
    bytes: int
    counted: float
    wraparound: int
    statements: str
    supabase: bool


class SessionFacts(Record, frozen=True):
    """One client's session; `seen` is false where only its existence is shown to us.

    `running`, `transaction` and `idle` are seconds since its query, its transaction and its last change of state
    began; `waiting` seconds for a lock on `relation`, which the sessions `blockers` hold. `started` names the session
    for good, since numbers come back.
    """

    pid: int
    started: str
    role: str
    name: str
    here: bool
    seen: bool
    state: str
    running: float
    transaction: float
    idle: float
    query: str
    blockers: tuple[int, ...] = ()
    waiting: float = 0.0
    relation: str = ""


class CounterFacts(Record, frozen=True):
    """The database's own counters since its statistics were reset."""

    commits: int
    rollbacks: int
    deadlocks: int
    conflicts: int
    temp_files: int
    temp_bytes: int
    hits: int
    reads: int


class StatementFacts(Record, frozen=True):
    """One normalised statement of pg_stat_statements; times in milliseconds."""

    id: str
    calls: int
    total: float
    query: str


class TableFacts(Record, frozen=True):
    """One table; `vacuumed` are seconds since its last vacuum, -1 for never; `kept` whether autovacuum minds it.

    `exposed` tells that Supabase's Data API lets anybody at its rows; `wasted` is an estimate from the planner's
    statistics, -1 where there is none.
    """

    schema: str
    name: str
    rows: int
    dead: int
    bytes: int
    index_bytes: int
    vacuumed: float
    kept: bool
    scans: int
    lookups: int
    exposed: bool
    wasted: int = -1


class IndexFacts(Record, frozen=True):
    """One index; `rule` tells that a constraint or uniqueness rests on it, `building` that it is being made now."""

    schema: str
    table: str
    name: str
    scans: int
    bytes: int
    rule: bool
    valid: bool
    building: bool


class ForeignKeyFacts(Record, frozen=True):
    """A foreign key without an index that begins with its columns."""

    schema: str
    table: str
    name: str
    columns: tuple[str, ...]
    rows: int


class UncheckedFacts(Record, frozen=True):
    """A constraint that is NOT VALID: old rows were never checked."""

    schema: str
    table: str
    name: str


class SequenceFacts(Record, frozen=True):
    """A counter: the last number it gave, and the last that it, and the type of the column it fills, can hold."""

    schema: str
    name: str
    last: int
    most: int
    table: str = ""
    column: str = ""
    type: str = ""
    column_most: int | None = None

    @property
    def end(self) -> int:
        """Return the last number that can be used."""
        return self.most if self.column_most is None else min(self.most, self.column_most)


class StandbyFacts(Record, frozen=True):
    """A standby or a replication slot: what it is behind by; -1 where the server doesn't say."""

    name: str
    kind: str
    state: str
    seconds: float
    bytes: int


class RoleFacts(Record, frozen=True):
    """A role that has a limit of its own on its connections."""

    name: str
    most: int


class Facts(Record, frozen=True):
    """All that was read at one moment, in seconds since 1970 UTC; `unseen` tells by topic why nothing was read."""

    at: float
    server: ServerFacts
    sessions: tuple[SessionFacts, ...] = ()
    counters: CounterFacts | None = None
    statements: tuple[StatementFacts, ...] = ()
    tables: tuple[TableFacts, ...] = ()
    indexes: tuple[IndexFacts, ...] = ()
    foreign_keys: tuple[ForeignKeyFacts, ...] = ()
    unchecked: tuple[UncheckedFacts, ...] = ()
    sequences: tuple[SequenceFacts, ...] = ()
    standbys: tuple[StandbyFacts, ...] = ()
    roles: tuple[RoleFacts, ...] = ()
    unseen: dict[str, str] = msgspec.field(default_factory=dict)


class Before(Record, frozen=True):
    """What of an earlier look is needed to tell what happened since; `first` is when the very first one was."""

    at: float
    first: float
    counters: CounterFacts | None = None
    statements: dict[str, tuple[int, float]] = msgspec.field(default_factory=dict)


def before(facts: Facts, known: Before | None) -> Before:
    """Return what the next look needs of this one, and of the one before it."""
    first = known.first if known else facts.at
    return Before(facts.at, first, facts.counters, {s.id: (s.calls, s.total) for s in facts.statements})
