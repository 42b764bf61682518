"""The target's structure against the plan: tables, columns, keys, indexes, sequences and enums."""

import re
from collections.abc import Sequence

from zenni_tui.model.plan import (
    ColumnPlan,
    Counter,
    ForeignKeyPlan,
    IndexPlan,
    KeyPlan,
    Kind,
    Plan,
    TablePlan,
    TargetType,
)

from .catalogue import Catalogue, FoundColumn, FoundConstraint, FoundIndex, FoundSequence, FoundTable
from .defaults import default_as_planned
from .records import StructureComparison, StructureDifference
from .session import Target

_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_COUNTED = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT})
_NONE = "none"


def compare_structure(target: Target, plan: Plan) -> StructureComparison:
    """Compare everything the plan makes with the target's catalogue, and count the checks made.

    Looked at in PostgreSQL's own terms, sequences without drawing from them; raises `psycopg.Error`.
    """
    return _Structure(target, plan).compare()


class _Structure:
    """One comparison under way."""

    def __init__(self, target: Target, plan: Plan) -> None:
        self._target = target
        self._plan = plan
        self._found = Catalogue(target, plan.schema)
        self._checks = 0
        self._differences: list[StructureDifference] = []

    def compare(self) -> StructureComparison:
        for enum in self._plan.enums:
            labels = self._found.enums.get(enum.name)
            self._check(f"enum {enum.name}", _listed(enum.labels), _listed(labels), "Its labels or their order differ.")
        for table in self._plan.tables:
            self._table(table)
        for index in self._plan.indexes:
            self._index(index)
        for foreign_key in self._plan.foreign_keys:
            self._foreign_key(foreign_key)
        return StructureComparison(self._checks, tuple(self._differences))

    def _check(self, name: str, expected: str, found: str, message: str) -> bool:
        self._checks += 1
        if expected != found:
            self._differences.append(StructureDifference(name, expected, found, message))
        return expected == found

    def _table(self, planned: TablePlan) -> None:
        name = f"table {planned.name}"
        table = self._found.tables.get(planned.name)
        if not self._check(name, "a table", "a table" if table else _NONE, "The table is not there.") or table is None:
            return
        kept = {"p": "permanent", "u": "unlogged", "t": "temporary"}.get(table.persistence, table.persistence)
        self._check(name, "permanent", kept, "The table would not outlive a crash.")
        columns = self._found.columns[table.oid]
        extra = [c for c in columns if c not in {p.name for p in planned.columns}]
        self._check(name, _NONE, _listed(extra), "It has columns that were not planned.")
        for column in planned.columns:
            self._column(planned, table, column, columns.get(column.name))
        self._primary_key(planned, table)

    def _column(self, planned: TablePlan, table: FoundTable, column: ColumnPlan, found: FoundColumn | None) -> None:
        name = f"column {planned.name}.{column.name}"
        there = "a column" if found else _NONE
        if not self._check(name, "a column", there, "The column is not there.") or found is None:
            return
        self._check(name, _type_name(column.type), _found_type(column, found), "Its type differs.")
        self._not_null(name, planned, column, found)
        kept = "generated" if found.generated else "stored"
        if not self._check(name, "stored", kept, "The server computes its values."):
            return
        if column.counter is None:
            self._default(name, column, found)
        else:
            self._counter(name, planned, table, column, found)

    def _not_null(self, name: str, planned: TablePlan, column: ColumnPlan, found: FoundColumn) -> None:
        keyed = planned.key is not None and column.name in planned.key.columns
        implied = keyed or column.counter is not None
        expected = "NOT NULL" if column.not_null or (implied and found.not_null) else "NULL allowed"
        self._check(name, expected, "NOT NULL" if found.not_null else "NULL allowed", "Its NOT NULL differs.")
        if found.not_null:
            state = "valid" if found.not_null_valid else "not valid"
            self._check(name, "valid", state, "Its NOT NULL was never checked against the rows.")

    def _default(self, name: str, column: ColumnPlan, found: FoundColumn) -> None:
        self._checks += 1
        counts = found.identity or (found.sequence is not None)
        if found.generated or (
            not counts and default_as_planned(self._target, self._plan.schema, column, found.default)
        ):
            return
        expected = f"{column.default.kind} {column.default.text}".strip() if column.default else _NONE
        there = "identity" if found.identity else found.default or _NONE
        self._differences.append(StructureDifference(name, expected, there, "Its default differs."))

    def _counter(
        self, name: str, planned: TablePlan, table: FoundTable, column: ColumnPlan, found: FoundColumn
    ) -> None:
        expected = "identity by default" if column.counter is Counter.IDENTITY else "default of a sequence"
        if not self._check(name, expected, _counts_by(found), "It does not count by itself as planned."):
            return
        sequence = self._found.sequence_of(table, found)
        self._check(name, "a sequence", "a sequence" if sequence else _NONE, "It has no sequence to count with.")
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
        keys = (k for k in self._found.constraints if k.table == table.oid and k.kind == "p")
        found = next(keys, None)
        name = f"primary key of {planned.name}"
        self._check(name, _key_text(planned.key), _found_key_text(found), "The primary key differs.")
        index = self._found.indexes.get(found.name) if found else None
        if found is not None and planned.key is not None:
            state = "valid" if index is not None and index.valid else "not valid"
            self._check(name, "valid", state, "Its index is not valid.")
            timing = "deferrable" if found.deferrable else "immediate"
            self._check(name, "immediate", timing, "It is checked later than planned.")

    def _index(self, planned: IndexPlan) -> None:
        name = f"index {planned.name}"
        found = self._found.indexes.get(planned.name)
        there = f"on {found.table}" if found else _NONE
        if not self._check(name, f"on {planned.table}", there, "The index is not there.") or found is None:
            return
        self._check(name, "valid", "valid" if found.valid else "not valid", "The server does not use it.")
        self._check(name, _uniqueness(planned.unique), _uniqueness(found.unique), "Its uniqueness differs.")
        self._check(name, _index_columns(planned), _found_index_columns(found), "Its columns or their order differ.")
        self._check(name, "all rows", found.predicate or "all rows", "It holds only some of the rows.")
        if planned.unique:
            nulls = "NULLs equal" if found.nulls_equal else "NULLs distinct"
            self._check(name, "NULLs distinct", nulls, "It would refuse a second NULL.")
            timing = "immediate" if found.immediate else "deferrable"
            self._check(name, "immediate", timing, "It is checked later than planned.")

    def _foreign_key(self, planned: ForeignKeyPlan) -> None:
        name = f"foreign key {planned.name}"
        table = self._found.tables.get(planned.table)
        candidates = (k for k in self._found.constraints if k.name == planned.name and k.kind == "f")
        found = next((k for k in candidates if table is not None and k.table == table.oid), None)
        there = f"on {planned.table}" if found else _NONE
        if not self._check(name, f"on {planned.table}", there, "The foreign key is not there.") or found is None:
            return
        self._check(name, self._reference(planned), _found_reference(found), "It refers to something else.")
        self._check(name, _planned_actions(planned), _found_actions(found), "Its actions differ.")
        self._check(name, "validated", "validated" if found.validated else "NOT VALID", "Its rows were never checked.")
        enforced = found.enforced and found.triggers_on
        self._check(name, "enforced", "enforced" if enforced else "switched off", "New rows are not checked.")
        timing = "deferrable" if found.deferrable else "immediate"
        self._check(name, "immediate", timing, "It is checked later than planned.")

    def _reference(self, planned: ForeignKeyPlan) -> str:
        parent = f"{self._plan.schema}.{planned.parent}"
        return f"{_listed(planned.columns)} to {parent} {_listed(planned.parent_columns)}"


def _listed(names: Sequence[str] | None) -> str:
    if not names:
        return _NONE
    return f"({', '.join(map(_plainly, names))})"


def _plainly(name: str) -> str:
    # A name that holds a comma must not read like two names.
    return name if re.fullmatch(r"[^,()\"]*", name) else repr(name)


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
    return "default of a sequence" if found.sequence is not None else found.default or _NONE


def _key_text(planned: KeyPlan | None) -> str:
    return f"{planned.name} {_listed(planned.columns)}" if planned else _NONE


def _found_key_text(found: FoundConstraint | None) -> str:
    return f"{found.name} {_listed(found.columns)}" if found else _NONE


def _uniqueness(unique: bool) -> str:  # noqa: FBT001 - one shape for both sides
    return "unique" if unique else "not unique"


def _index_columns(planned: IndexPlan) -> str:
    downward = planned.descending or (False,) * len(planned.columns)
    return _ordered(planned.columns, downward)


def _found_index_columns(found: FoundIndex) -> str:
    return _ordered(found.columns, found.descending)


def _ordered(columns: Sequence[str], downward: Sequence[bool]) -> str:
    return _listed([f"{name} DESC" if down else name for name, down in zip(columns, downward, strict=True)])


def _found_reference(found: FoundConstraint) -> str:
    parent = f"{found.parent_schema}.{found.parent}"
    return f"{_listed(found.columns)} to {parent} {_listed(found.parent_columns)}"


def _planned_actions(planned: ForeignKeyPlan) -> str:
    return f"ON DELETE {planned.on_delete.upper()} ON UPDATE {planned.on_update.upper()}"


def _found_actions(found: FoundConstraint) -> str:
    return f"ON DELETE {_ACTIONS.get(found.on_delete)} ON UPDATE {_ACTIONS.get(found.on_update)}"
