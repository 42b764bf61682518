"""How the target fares after go-live: vitals, what is wrong with them, and what would help. Records only."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from .record import Record

_SHARES = ("connections", "cache_misses", "dead_share", "sequence", "rollbacks", "disk", "errors")
_FASTEST, _SLOWEST, _LONGEST = 1.0, 3600.0, 300.0
_SCHEMES = ("http://", "https://")


class Limits(Record, frozen=True):
    """`[watch]`: from when on something is an alert. Shares are between 0 and 1; 0 switches a limit of counts off.

    `error_rate` is a command (a list) that prints a number or a JSON object, `error_url` a JSON endpoint;
    `error_field` names the number in it. `ignore` are alerts that are known and accepted, as in `judge.settle`.
    """

    every_seconds: float = 10.0
    connections: float = 0.8
    pool_role: str = ""
    pool_size: int = 0
    slow_query_ms: float = 500.0
    slow_query_calls: int = 3
    running_seconds: float = 30.0
    cache_misses: float = 0.1
    lock_seconds: float = 5.0
    idle_in_transaction_seconds: float = 60.0
    transaction_seconds: float = 900.0
    dead_rows: int = 10_000
    dead_share: float = 0.2
    bloat_mb: float = 100.0
    unused_index_mb: float = 16.0
    foreign_key_rows: int = 1_000
    sequence: float = 0.75
    rollbacks: float = 0.1
    temp_mb: float = 256.0
    replication_seconds: float = 60.0
    replication_mb: float = 1_000.0
    disk_mb: float = 0.0
    disk: float = 0.8
    error_rate: tuple[str, ...] = ()
    error_url: str = ""
    error_field: str = "error_rate"
    errors: float = 0.05
    query_factor: float = 3.0
    query_ms: float = 20.0
    query_minutes: float = 10.0
    history_days: float = 7.0
    ignore: tuple[str, ...] = ()

    def mistakes(self) -> Iterator[str]:
        """Yield what can't be meant: a limit that nothing reaches, or everything, would be silent."""
        for name in _SHARES:
            if not 0 < getattr(self, name) <= 1:
                yield f"watch.{name} must be a share between 0 and 1, such as 0.8; it is {getattr(self, name):g}."
        for name, kind in self.__annotations__.items():
            if kind in {int, float} and not 0 <= getattr(self, name) < float("inf"):
                yield f"watch.{name} must not be below 0; it is {getattr(self, name):g}."
        if not _FASTEST <= self.every_seconds <= _SLOWEST:
            yield f"watch.every_seconds must be between {_FASTEST:g} and {_SLOWEST:g}; it is {self.every_seconds:g}."
        if self.error_url and not self.error_url.startswith(_SCHEMES):
            yield "watch.error_url must begin with http:// or https://."


class Notify(Record, frozen=True):
    """`[notify]`: whom to tell, once when something is raised and once when it clears.

    `command` is a list, told by its environment; `webhook` a URL that gets JSON by POST, and is kept like a password.
    """

    command: tuple[str, ...] = ()
    webhook: str = ""
    timeout_seconds: float = 10.0

    def mistakes(self) -> Iterator[str]:
        """Yield what can't be meant, without the webhook's address."""
        if self.webhook and not self.webhook.startswith(_SCHEMES):
            yield "notify.webhook must begin with http:// or https://."
        if not 0 < self.timeout_seconds <= _LONGEST:
            yield f"notify.timeout_seconds must be between 0 and {_LONGEST:g}; it is {self.timeout_seconds:g}."


class State(StrEnum):
    """How a vital is, in a word."""

    WELL = "ok"
    ALERT = "ALERT"
    UNSEEN = "unseen"


class Sign(Record, frozen=True):
    """One thing that may be wrong: raised from `raise_at` on, cleared below `clear_at`.

    `subject` names it from look to look; `names` are the identifiers a remedy needs, in the order that its code
    wants. `text` says what, where and why; it never holds a row's value nor a query's. An `asleep` sign says nothing
    new: what was raised stays so for an hour.
    """

    code: str
    subject: str
    value: float
    raise_at: float
    clear_at: float
    text: str
    names: tuple[str, ...] = ()
    asleep: bool = False


class Vital(Record, frozen=True):
    """One line of the watch: words for people, a measure for the history, rows for who looks closer.

    `unseen` tells why it can't be seen, or not in full, and what would help; `blind` that nothing was seen at all.
    """

    id: str
    title: str
    words: str
    measure: float | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    unseen: str = ""
    blind: bool = False
    signs: tuple[Sign, ...] = ()


class Alert(Record, frozen=True):
    """Something raised: since when, and when it was last seen, in seconds since 1970 UTC."""

    code: str
    subject: str
    vital: str
    text: str
    value: float
    since: float
    seen: float
    names: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Return what tells it from others."""
        return self.code, self.subject


class Remedy(Record, frozen=True):
    """SQL that helps against an alert, and what it costs; the operator types `word` where it isn't empty.

    `alone` tells that it can't be part of a transaction, `patient` that it waits for others without holding them up,
    `reshapes` that it changes a table's columns or rules.
    """

    title: str
    sql: tuple[str, ...]
    effect: str
    word: str = ""
    alone: bool = False
    reshapes: bool = False
    patient: bool = False


class Advised(Record, frozen=True):
    """An alert with what its code means and what would help."""

    alert: Alert
    advice: str
    remedies: tuple[Remedy, ...] = ()


class Look(Record, frozen=True):
    """One look at the target: all that the screen, the document and the alarms are made from."""

    at: float
    target: str
    seconds: float
    vitals: tuple[Vital, ...]
    alerts: tuple[Advised, ...]
    raised: tuple[Alert, ...] = ()
    cleared: tuple[Alert, ...] = ()
    notes: tuple[str, ...] = ()
    history: dict[str, tuple[float, ...]] = msgspec.field(default_factory=dict)

    def state(self, vital: Vital) -> State:
        """Return how one of the vitals is."""
        if any(a.alert.vital == vital.id for a in self.alerts):
            return State.ALERT
        return State.UNSEEN if vital.blind else State.WELL
