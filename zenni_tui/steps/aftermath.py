"""Rules of a table's own that its repairs may break: CHECKs, and columns computed from what a repair changes.

SQLite itself reads the rules, from the file's own text: a table like it in memory holds one repaired row at a time.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing

from zenni_tui.convert import encode, offers, trial
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.findings import SHOWN_KEYS, Evidence, Finding, Repair, Severity
from zenni_tui.model.plan import EnumPlan, Plan, Span, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceTable, Value
from zenni_tui.source import database, reader


class Broken(Record, frozen=True):
    """Rows that break a rule once repaired: a CHECK by its text, or a computed column that would change, by name."""

    rule: str
    computed: bool
    keys: tuple[str, ...]
    rowids: tuple[int, ...]


def concerned(plan: Plan) -> Iterable[TablePlan]:
    """Yield the tables in which a repair is in force and a rule that it may break."""
    for table in plan.tables:
        changing = any(c.repairs for c in table.loaded) or table.clearings
        if changing and (table.checks or any(c.generated for c in table.carried)):
            yield table


def broken(
    source: sqlite3.Connection, declared: SourceTable, table: TablePlan, enums: Sequence[EnumPlan]
) -> tuple[Broken, ...]:
    """Return what the repairs of a table break; its rows in quarantine are passed over.

    A rule that this SQLite can't compute is passed over: such a one is not translated either. Raises sqlite3.Error.
    """
    checks = [c.expression for c in declared.checks] if table.checks else []
    computed = [c.source or "" for c in table.carried if c.generated is not None]
    rules = [(rule, False) for rule in checks] + [(name, True) for name in computed]
    try:
        with closing(_Likeness(declared, checks, computed)) as likeness:
            found: list[list[trial.Key]] = [[] for _ in rules]
            for key, row, values in _repaired(source, declared, table, computed, enums):
                for place in likeness.broken(row, values):
                    found[place].append(key)
    except sqlite3.OperationalError:
        return ()
    return tuple(
        Broken(rule, computes, tuple(k for k, _ in keys), tuple(n for _, n in keys))
        for (rule, computes), keys in zip(rules, found, strict=True)
        if keys
    )


def _repaired(
    source: sqlite3.Connection, declared: SourceTable, table: TablePlan, computed: list[str], enums: Sequence[EnumPlan]
) -> Iterator[tuple[trial.Key, list[Value], Sequence[Value]]]:
    """Yield keys, repaired values and computed ones of the rows that repairs change."""
    stored = [c.name for c in declared.columns if c.generated is None]
    ends = 1 + len(declared.key), 1 + len(declared.key) + len(stored)
    change = _change(table, stored, enums)
    whole, out = Span(0, declared.rows), set(table.quarantine)
    for rows in reader.numbered(source, declared, [*declared.key, *stored, *computed], whole, table.clearings):
        for row in rows:
            key = trial.named(row[: ends[0]])
            changed = change(row[ends[0] : ends[1]])
            if changed is not None and key[1] not in out:
                yield key, changed, row[ends[1] :]


def _change(
    table: TablePlan, stored: list[str], enums: Sequence[EnumPlan]
) -> Callable[[Sequence[Value]], list[Value] | None]:
    """Return the function that repairs a row's stored values; it returns None when there is nothing to look at."""
    places = {name: place for place, name in enumerate(stored)}
    menders = [(places[c.source], encode.mended(c, enums)) for c in table.loaded if c.repairs and c.source in places]
    cleared = [places[c.column] for c in table.clearings]

    def change(row: Sequence[Value]) -> list[Value] | None:
        values = list(row)
        try:
            for place, mend in menders:
                values[place] = mend(values[place])
        except Unfit:
            return None  # the trial of values names it
        touched = any(new is not old for new, old in zip(values, row, strict=True))
        return values if touched or any(row[place] is None for place in cleared) else None

    return change


class _Likeness:
    """A table in memory with the rules of one in the file; raises sqlite3.OperationalError where that can't be."""

    def __init__(self, declared: SourceTable, checks: Sequence[str], computed: Sequence[str]) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        self._database.execute("PRAGMA ignore_check_constraints = ON")
        self._database.execute(declared.sql)
        self._checks = len(checks)
        table = database.quoted(declared.name)
        stored = ", ".join(database.quoted(c.name) for c in declared.columns if c.generated is None)
        asked = [*(f"NOT ({rule})" for rule in checks), *map(database.quoted, computed)]
        self._insert = f"INSERT INTO {table} ({stored}) VALUES "  # noqa: S608 - quoted names
        # The rules are the file's own text, as SQLite keeps it.
        self._look = f"SELECT {', '.join(asked)} FROM {table}"  # noqa: S608 - as above
        self._clear = f"DELETE FROM {table}"  # noqa: S608 - quoted names

    def close(self) -> None:
        self._database.close()

    def broken(self, row: Sequence[Value], computed: Sequence[Value]) -> list[int]:
        """Return the places of the rules that a row breaks; none when the table refuses it for another rule."""
        # Text goes by its bytes, which needn't be UTF-8 where no repair was chosen.
        values = [v.encode("utf-8", "surrogateescape") if isinstance(v, str) else v for v in row]
        marks = ", ".join("CAST(? AS TEXT)" if isinstance(v, str) else "?" for v in row)
        try:
            self._database.execute(f"{self._insert}({marks})", values)
        except sqlite3.IntegrityError:
            return []
        held = self._database.execute(self._look).fetchone()
        self._database.execute(self._clear)
        wrong = [place for place in range(self._checks) if held[place]]
        pairs = enumerate(zip(held[self._checks :], computed, strict=True), self._checks)
        return wrong + [place for place, (new, old) in pairs if type(new) is not type(old) or new != old]


def evidence(plan: Plan, table: TablePlan, found: Iterable[Broken]) -> Iterable[Evidence]:
    """Return the findings about what repairs break."""
    for one in found:
        finding = (_computed if one.computed else _checked)(table, one)
        yield Evidence(offers.with_quarantine(finding, plan, table, one.rowids, one.keys), one.keys, one.rowids)


def _checked(table: TablePlan, one: Broken) -> Finding:
    return Finding(
        "check_broken_by_repair",
        Severity.ERROR,
        f'{len(one.keys):,} rows of "{table.source}" would break its CHECK ({one.rule}) once repaired.',
        "Choose another repair or value for these rows, keep them out, or leave the rule out.",
        table.source,
        None,
        len(one.keys),
        one.keys[:SHOWN_KEYS],
        (Repair("check_drop", lossless=False, text="leave the table's CHECK rules out"),),
    )


def _computed(table: TablePlan, one: Broken) -> Finding:
    return Finding(
        "generated_changed_by_repair",
        Severity.ERROR,
        f'"{table.source}"."{one.rule}" is computed from what a repair changes: in {len(one.keys):,} rows it would'
        " differ from the source.",
        "Choose another repair for these rows, keep them out, mend them in the source, or leave the column behind.",
        table.source,
        one.rule,
        len(one.keys),
        one.keys[:SHOWN_KEYS],
        (Repair("exclude", lossless=False, text="leave the computed column behind"),),
    )
