"""The target's rules against the plan: indexes, foreign keys, checks and views, and what nobody planned."""

from collections import defaultdict
from collections.abc import Sequence

from zenni_tui.model.plan import ForeignKeyPlan, IndexPlan, Plan, TablePlan, ViewPlan

from .catalogue import Catalogue, FoundConstraint, FoundIndex, FoundTable
from .defaults import bared
from .ledger import NONE, Ledger, listed
from .spelling import Spelled

_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_ALL_ROWS = "all rows"
_USUAL = "the usual"


class Rules:
    """Compares rules with the plan, entering every check in a ledger."""

    def __init__(self, plan: Plan, found: Catalogue, ledger: Ledger) -> None:
        self._schema = plan.schema
        self._found = found
        self._ledger = ledger
        self._indexes = {index.name for index in plan.indexes}
        self._foreign_keys: dict[str, set[str]] = defaultdict(set)
        for key in plan.foreign_keys:
            self._foreign_keys[key.table].add(key.name)

    def index(self, planned: IndexPlan, spelled: FoundIndex | None) -> None:
        """Compare one index; `spelled` is what this server makes of a plan that has expressions."""
        name, check = f"index {planned.name}", self._ledger.same
        found = self._found.indexes.get(planned.name)
        there = f"on {found.table}" if found else NONE
        if not check(name, f"on {planned.table}", there, "The index is not there.") or found is None:
            return
        check(name, "valid", "valid" if found.valid else "not valid", "The server does not use it.")
        check(name, _uniqueness(planned.unique), _uniqueness(found.unique), "Its uniqueness differs.")
        self._index_columns(name, planned, found, spelled)
        self._predicate(name, planned, found, spelled)
        if planned.unique:
            nulls = "NULLs equal" if found.nulls_equal else "NULLs distinct"
            check(name, "NULLs distinct", nulls, "It would refuse a second NULL.")
            timing = "immediate" if found.immediate else "deferrable"
            check(name, "immediate", timing, "It is checked later than planned.")

    def _index_columns(self, name: str, planned: IndexPlan, found: FoundIndex, spelled: FoundIndex | None) -> None:
        expected = _ordered(_planned_parts(planned), planned.descending)
        there = _ordered(found.columns, found.descending)
        same = there == (_ordered(spelled.columns, spelled.descending) if spelled else expected)
        self._ledger.holds(name, expected, there, "Its columns or their order differ.", ok=same)
        ways = _ways(spelled) if spelled else _USUAL
        self._ledger.same(name, ways, _ways(found), "It compares its columns in another way.")

    def _predicate(self, name: str, planned: IndexPlan, found: FoundIndex, spelled: FoundIndex | None) -> None:
        expected, there = planned.where or _ALL_ROWS, found.predicate or _ALL_ROWS
        known = {expected, spelled.predicate or _ALL_ROWS} if spelled else {expected}
        same = bared(there) in set(map(bared, known))
        message = "It holds only some of the rows." if planned.where is None else "It holds other rows than planned."
        self._ledger.holds(name, expected, there, message, ok=same)

    def foreign_key(self, planned: ForeignKeyPlan) -> None:
        """Compare one foreign key; one planned NOT VALID may have been validated since."""
        name, check = f"foreign key {planned.name}", self._ledger.same
        table = self._found.tables.get(planned.table)
        keys = self._found.constraints[table.oid] if table is not None else []
        found = next((k for k in keys if k.name == planned.name and k.kind == "f"), None)
        there = f"on {planned.table}" if found else NONE
        if not check(name, f"on {planned.table}", there, "The foreign key is not there.") or found is None:
            return
        check(name, self._reference(planned), _found_reference(found), "It refers to something else.")
        check(name, _planned_actions(planned), _found_actions(found), "Its actions differ.")
        state = "validated" if found.validated or not planned.validated else "NOT VALID"
        check(name, "validated", state, "Its rows were never checked.")
        enforced = found.enforced and found.triggers_on
        check(name, "enforced", "enforced" if enforced else "switched off", "New rows are not checked.")
        expected = "deferred" if planned.deferred else "immediate"
        check(name, expected, _timing(found), "When it is checked differs.")

    def _reference(self, planned: ForeignKeyPlan) -> str:
        parent = f"{self._schema}.{planned.parent}"
        return f"{listed(planned.columns)} to {parent} {listed(planned.parent_columns)}"

    def checks(self, planned: TablePlan, table: FoundTable, spelled: Spelled) -> None:
        """Compare a table's CHECK rules."""
        found = {k.name: k for k in self._found.constraints[table.oid] if k.kind == "c"}
        for rule in planned.checks:
            name = f"check {rule.name} of {planned.name}"
            there = found.get(rule.name)
            text = (there.expression if there else None) or NONE
            known = {bared(rule.expression), bared(spelled.checks.get(rule.name, rule.expression))}
            self._ledger.holds(name, rule.expression, text, "The rule differs.", ok=bared(text) in known)
            if there is not None:
                state = "validated" if there.validated else "NOT VALID"
                self._ledger.same(name, "validated", state, "Its rows were never checked.")
                enforced = "enforced" if there.enforced else "switched off"
                self._ledger.same(name, "enforced", enforced, "New rows are not checked.")

    def view(self, planned: ViewPlan, spelled: str | None) -> None:
        """Compare one view; `spelled` is what this server makes of its planned query."""
        name, found = f"view {planned.name}", self._found.views.get(planned.name)
        there = "a view" if found is not None else NONE
        if not self._ledger.same(name, "a view", there, "The view is not there.") or found is None:
            return
        same = found in (planned.query, spelled)
        self._ledger.holds(name, planned.query, found, "Its query differs.", ok=same)

    def nothing_more(self, planned: TablePlan, table: FoundTable) -> None:
        """Tell of rules on a planned table that nobody planned."""
        name, constraints = f"table {planned.name}", self._found.constraints[table.oid]
        checks = {check.name for check in planned.checks}
        extra = [k.name for k in constraints if k.kind == "c" and k.name not in checks]
        self._ledger.nothing(name, extra, "It has checks that were not planned.")
        keys = self._foreign_keys[planned.name]
        extra = [k.name for k in constraints if k.kind == "f" and k.name not in keys]
        self._ledger.nothing(name, extra, "It has foreign keys that were not planned.")
        indexes = self._found.indexes_of[planned.name]
        extra = [i.name for i in indexes if not i.primary and i.name not in self._indexes]
        self._ledger.nothing(name, extra, "It has indexes that were not planned.")
        self._ledger.nothing(name, self._found.triggers[table.oid], "It has triggers or rules that were not planned.")


def _uniqueness(unique: bool) -> str:  # noqa: FBT001 - one shape for both sides
    return "unique" if unique else "not unique"


def _planned_parts(planned: IndexPlan) -> list[str]:
    expressions = planned.expressions or (None,) * len(planned.columns)
    return [text if text is not None else c for c, text in zip(planned.columns, expressions, strict=True)]


def _ordered(columns: Sequence[str], downward: Sequence[bool]) -> str:
    pairs = zip(columns, downward or (False,) * len(columns), strict=True)
    return listed([f"{name} DESC" if down else name for name, down in pairs])


def _ways(found: FoundIndex) -> str:
    ways = [*(found.method,) * (found.method != "btree"), *("INCLUDE",) * found.includes]
    if any(found.oddities):
        ways += [oddity.strip() or _USUAL for oddity in found.oddities]
    return ", ".join(ways) or _USUAL


def _found_reference(found: FoundConstraint) -> str:
    parent = f"{found.parent_schema}.{found.parent}"
    return f"{listed(found.columns)} to {parent} {listed(found.parent_columns)}"


def _planned_actions(planned: ForeignKeyPlan) -> str:
    return f"ON DELETE {planned.on_delete.upper()} ON UPDATE {planned.on_update.upper()}"


def _found_actions(found: FoundConstraint) -> str:
    actions = f"ON DELETE {_ACTIONS.get(found.on_delete)} ON UPDATE {_ACTIONS.get(found.on_update)}"
    return f"MATCH FULL {actions}" if found.matches_full else actions


def _timing(found: FoundConstraint) -> str:
    if not found.deferrable:
        return "immediate"
    return "deferred" if found.deferred else "deferrable"
