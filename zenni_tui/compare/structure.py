"""The target's structure against the plan: tables, columns, keys, sequences and enums; `rules` has the rest."""

from collections import defaultdict

from zenni_tui.model.plan import ColumnPlan, Counter, IndexPlan, KeyPlan, Kind, Plan, TablePlan, TargetType

from .catalogue import Catalogue, FoundColumn, FoundConstraint, FoundSequence, FoundTable
from .defaults import bared, default_as_planned
from .ledger import NONE, Ledger, listed
from .privileges import compare_privileges
from .records import StructureComparison
from .rules import Rules
from .session import Target
from .spelling import Spelled, Speller

_COUNTED = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT})
_STORED = {"": "ordinary", "s": "generated and stored", "v": "generated when read"}


def compare_structure(target: Target, plan: Plan) -> StructureComparison:
    """Compare everything the plan makes with the target's catalogue, and count the checks made.

    Looked at in PostgreSQL's own terms, sequences without drawing from them, expressions by way of temporary tables;
    what the tables have beyond the plan is told as well. Raises `psycopg.Error`.
    """
    return _Structure(target, plan).compare()


class _Structure:
    """One comparison under way."""

    def __init__(self, target: Target, plan: Plan) -> None:
        self._target = target
        self._plan = plan
        self._found = Catalogue(target, plan.schema)
        self._ledger = Ledger()
        self._rules = Rules(plan, self._found, self._ledger)
        self._speller = Speller(target, plan.schema)
        self._expressive: dict[str, list[IndexPlan]] = defaultdict(list)
        for index in plan.indexes:
            if index.where is not None or any(index.expressions):
                self._expressive[index.table].append(index)

    def compare(self) -> StructureComparison:
        for enum in self._plan.enums:
            labels = self._found.enums.get(enum.name)
            self._check(f"enum {enum.name}", listed(enum.labels), listed(labels), "Its labels or their order differ.")
        spelled = {table.name: self._table(table) for table in self._plan.tables}
        for index in self._plan.indexes:
            self._rules.index(index, spelled[index.table].indexes.get(index.name))
        for foreign_key in self._plan.foreign_keys:
            self._rules.foreign_key(foreign_key)
        for view in self._plan.views:
            self._rules.view(view, self._speller.view(view) if view.name in self._found.views else None)
        compare_privileges(self._target, self._plan, self._ledger)
        return self._ledger.closed()

    def _check(self, name: str, expected: str, found: str, message: str) -> bool:
        return self._ledger.same(name, expected, found, message)

    def _table(self, planned: TablePlan) -> Spelled:
        """Compare one table, and return what its planned expressions look like on this server."""
        name = f"table {planned.name}"
        table = self._found.tables.get(planned.name)
        if not self._check(name, "a table", "a table" if table else NONE, "The table is not there.") or table is None:
            return Spelled({}, {}, {})
        kept = {"p": "permanent", "u": "unlogged", "t": "temporary"}.get(table.persistence, table.persistence)
        self._check(name, "permanent", kept, "The table would not outlive a crash.")
        spelled = self._speller.table(planned, self._expressive.get(planned.name, ()))
        columns = self._found.columns[table.oid]
        extra = [c for c in columns if c not in {p.name for p in planned.columns}]
        self._ledger.nothing(name, extra, "It has columns that were not planned.")
        for column in planned.columns:
            self._column(planned, table, column, columns.get(column.name), spelled)
        self._primary_key(planned, table)
        self._rules.checks(planned, table, spelled)
        self._rules.nothing_more(planned, table)
        return spelled

    def _column(
        self, planned: TablePlan, table: FoundTable, column: ColumnPlan, found: FoundColumn | None, spelled: Spelled
    ) -> None:
        name = f"column {planned.name}.{column.name}"
        there = "a column" if found else NONE
        if not self._check(name, "a column", there, "The column is not there.") or found is None:
            return
        self._check(name, _type_name(column.type), _found_type(column, found), "Its type differs.")
        self._check(name, NONE, found.collation or NONE, "Its texts are compared by another collation.")
        self._not_null(name, planned, column, found)
        expected = _STORED["s" if column.generated is not None else ""]
        kept = _STORED.get(found.generated, found.generated)
        if not self._check(name, expected, kept, "Where its values come from differs."):
            return
        if column.generated is not None:
            self._generated(name, column.generated, found.default or NONE, spelled.generated.get(column.name))
        elif column.counter is None:
            self._default(name, column, found)
        else:
            self._counter(name, planned, table, column, found)

    def _generated(self, name: str, planned: str, found: str, spelled: str | None) -> None:
        same = bared(found) in (bared(planned), bared(spelled or planned))
        self._ledger.holds(name, planned, found, "Its values are computed otherwise.", ok=same)

    def _not_null(self, name: str, planned: TablePlan, column: ColumnPlan, found: FoundColumn) -> None:
        keyed = planned.key is not None and column.name in planned.key.columns
        implied = keyed or column.counter is not None
        expected = "NOT NULL" if column.not_null or (implied and found.not_null) else "NULL allowed"
        self._check(name, expected, "NOT NULL" if found.not_null else "NULL allowed", "Its NOT NULL differs.")
        if found.not_null:
            state = "valid" if found.not_null_valid else "not valid"
            self._check(name, "valid", state, "Its NOT NULL was never checked against the rows.")

    def _default(self, name: str, column: ColumnPlan, found: FoundColumn) -> None:
        counts = found.identity or (found.sequence is not None)
        same = not counts and default_as_planned(self._target, self._plan.schema, column, found.default)
        expected = f"{column.default.kind} {column.default.text}".strip() if column.default else NONE
        there = "identity" if found.identity else found.default or NONE
        self._ledger.holds(name, expected, there, "Its default differs.", ok=same)

    def _counter(
        self, name: str, planned: TablePlan, table: FoundTable, column: ColumnPlan, found: FoundColumn
    ) -> None:
        expected = "identity by default" if column.counter is Counter.IDENTITY else "default of a sequence"
        if not self._check(name, expected, _counts_by(found), "It does not count by itself as planned."):
            return
        sequence = self._found.sequence_of(table, found)
        self._check(name, "a sequence", "a sequence" if sequence else NONE, "It has no sequence to count with.")
        if sequence is not None and found.type in _COUNTED:
            self._sequence(planned, table, column, found, sequence)

    def _sequence(
        self, planned: TablePlan, table: FoundTable, column: ColumnPlan, found: FoundColumn, sequence: FoundSequence
    ) -> None:
        name = f"sequence {sequence.name}"
        owner = f"{planned.name}.{column.name}"
        owned = (sequence.table, sequence.column) == (table.oid, found.number)
        self._check(
            name, f"owned by {owner}", f"owned by {owner}" if owned else "not owned by it", "Its owner differs."
        )
        following = max(planned.counter or 0, self._found.largest(planned.name, column.name)) + 1
        coming = self._found.next_value(sequence)
        self._check(
            name, f"next value {following}", f"next value {coming}", f"{owner} would go on with another number."
        )
        self._check(name, "steps of 1", f"steps of {sequence.increment}", "It counts in other steps.")
        self._check(name, "no cycle", "cycle" if sequence.cycles else "no cycle", "It begins again at its end.")

    def _primary_key(self, planned: TablePlan, table: FoundTable) -> None:
        found = next((k for k in self._found.constraints[table.oid] if k.kind == "p"), None)
        name = f"primary key of {planned.name}"
        self._check(name, _key_text(planned.key), _found_key_text(found), "The primary key differs.")
        index = self._found.indexes.get(found.name) if found else None
        if found is not None and planned.key is not None:
            state = "valid" if index is not None and index.valid else "not valid"
            self._check(name, "valid", state, "Its index is not valid.")
            timing = "deferrable" if found.deferrable else "immediate"
            self._check(name, "immediate", timing, "It is checked later than planned.")


def _type_name(planned: TargetType) -> str:
    if planned.kind is Kind.NUMERIC and planned.size is not None and planned.scale is None:
        return f"numeric({planned.size},0)"
    if planned.kind is Kind.CHAR and planned.size is None:
        return "character(1)"
    return str(planned)


def _found_type(column: ColumnPlan, found: FoundColumn) -> str:
    return found.enum if column.type.kind is Kind.ENUM and found.enum is not None else found.type


def _counts_by(found: FoundColumn) -> str:
    if found.identity:
        return "identity by default" if found.identity == "d" else "identity always"
    return "default of a sequence" if found.sequence is not None else found.default or NONE


def _key_text(planned: KeyPlan | None) -> str:
    return f"{planned.name} {listed(planned.columns)}" if planned else NONE


def _found_key_text(found: FoundConstraint | None) -> str:
    return f"{found.name} {listed(found.columns)}" if found else NONE
