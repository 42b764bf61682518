"""What became of migrated rows since: counted by table, for a look at the data days after the switch."""

import msgspec

from .record import Record

DRIFT = "drift.json"
"""Where a run's directory keeps the last such look."""


class TableDrift(Record, frozen=True):
    """One table: its rows in the snapshot, and what they are now; `rows_now` and `new` are of the target.

    Of a table that has no key a changed row counts as gone and as new, and `keyless` says so. `columns` counts the
    changed values by column, among the first so many differences of each part.
    """

    name: str
    rows_then: int
    rows_now: int
    unchanged: int
    changed: int
    gone: int
    new: int
    keyless: bool = False
    columns: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def lost(self) -> bool:
        """Return whether rows were there and none of them is left: no application does that by itself."""
        return self.rows_then > 0 and self.gone == self.rows_then and not self.keyless


class Drift(Record, frozen=True):
    """One look at all tables of a run, in seconds since 1970 UTC; `live_since` is empty before go-live.

    `structure` lists what is not as planned any more; `absent` the tables of the plan that are gone.
    """

    run_id: str
    at: float
    target: str
    live_since: str
    tables: tuple[TableDrift, ...]
    checks: int
    structure: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Return whether all rules stand and no table has lost all that was migrated into it."""
        return not (self.structure or self.absent or any(t.lost for t in self.tables))
