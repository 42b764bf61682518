"""Decisions that PostgreSQL makes possible and SQLite didn't: offers, checked against the data, off until chosen.

Texts that are JSON, times, dates or words of a closed set; names that are unique; indexes for the queries of a booking
application; a column for what the application will keep there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import (
    CheckPlan,
    ColumnPlan,
    EnumPlan,
    ForeignKeyPlan,
    IndexPlan,
    Kind,
    Plan,
    TablePlan,
    TargetType,
)
from zenni_tui.model.schema import Misfits, TextShape

from . import names, shapes
from .types import DATES

Shapes = Mapping[str, Mapping[str, TextShape]]

_STAMPS = frozenset({"createdat", "updatedat", "deletedat", "created_at", "updated_at", "deleted_at"})
_STATES = frozenset({"status", "state", "stage", "phase"})
_NEW_COLUMN = "metadata"


class Offer(NamedTuple):
    """A finding, and what it adds to the plan when the repair of that action is chosen."""

    finding: Finding
    action: str = ""
    indexes: tuple[IndexPlan, ...] = ()
    checks: tuple[CheckPlan, ...] = ()
    columns: tuple[ColumnPlan, ...] = ()


class _Around(NamedTuple):
    """A table, and what the plan has around it: its indexes, its references, and those to it."""

    plan: Plan
    table: TablePlan
    indexes: tuple[IndexPlan, ...]
    references: tuple[ForeignKeyPlan, ...]
    referred: tuple[ForeignKeyPlan, ...]

    def fixed(self) -> set[str]:
        """Return the columns whose type others rely on: keys, references, unique rules, expressions."""
        table = self.table
        found = set(table.key.columns if table.key else ())
        found.update(*(k.columns for k in self.references), *(k.parent_columns for k in self.referred))
        found.update(*(i.columns for i in self.indexes if i.unique or i.where is not None or any(i.expressions)))
        written = [c.expression for c in table.checks] + [c.generated for c in table.columns if c.generated]
        return found | {c.name for c in table.columns if any(names.quoted(c.name) in text for text in written)}

    def leads(self, *, unique: bool = False) -> list[tuple[str, ...]]:
        """Return the columns of the key and of whole indexes, or of the unique ones only."""
        own = [i.columns for i in self.indexes if i.where is None and (i.unique or not unique)]
        return [*own, *([self.table.key.columns] if self.table.key else [])]


class _Place(NamedTuple):
    """A column of a table that something is said about."""

    table: TablePlan
    column: ColumnPlan

    def __str__(self) -> str:
        return f'"{self.table.source}"."{self.column.source}"'

    def finding(self, code: str, message: str, advice: str, count: int, *repairs: Repair) -> Finding:
        return Finding(code, Severity.INFO, message, advice, self.table.source, self.column.source, count, (), repairs)

    def obstacle(self, code: str, message: str, advice: str, misfits: Misfits) -> Offer:
        """Return what is not on offer, with the keys of the rows that stand in the way."""
        finding = self.finding(code, message, advice, misfits.count)
        return Offer(msgspec.structs.replace(finding, keys=misfits.keys))


class _Type(NamedTuple):
    """Types that texts may have instead, the first that holds them all; in whose place they are called what."""

    code: str
    types: tuple[str, ...]
    called: str
    effect: str


_TYPES = (
    _Type("review_json_text", ("jsonb",), "JSON", "PostgreSQL then checks it, and can search in it"),
    _Type("review_time_text", ("time",), "times of day", "PostgreSQL then refuses 25:00, and reckons with them"),
    _Type("review_date_text", ("date", "timestamp(3)"), "dates", "PostgreSQL then refuses 30 February, and sorts them"),
)


def enums(plan: Plan, choices: Choices) -> Iterator[EnumPlan]:
    """Yield the enums that the operator's choices make of columns of text."""
    for table in plan.tables:
        for column in table.columns:
            choice = choices.repairs.get(f"review_closed_set/{table.source}/{column.source}", "")
            action, _, labels = choice.partition(":")
            if action == "enum" and column.type.enum == names.enum_type(table.source, column.name):
                words = (w.strip() for w in labels.split(","))
                yield EnumPlan(column.type.enum, tuple(dict.fromkeys(w for w in words if w)))


def decide(plan: Plan, choices: Choices, known: Shapes) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan with the offers that were chosen, and all offers as findings of severity info."""
    indexes, references, referred = defaultdict(list), defaultdict(list), defaultdict(list)
    for index in plan.indexes:
        indexes[index.table].append(index)
    for key in plan.foreign_keys:
        references[key.table].append(key)
        referred[key.parent].append(key)
    made: dict[str, Offer] = {}
    added: list[IndexPlan] = []
    tables = []
    for table in plan.tables:
        n = table.name
        around = _Around(plan, table, tuple(indexes[n]), tuple(references[n]), tuple(referred[n]))
        offers = {o.finding.id: o for o in _offers(around, known.get(table.source, {}), choices)}
        made |= offers
        taken = [o for i, o in offers.items() if o.action and choices.repairs.get(i, "").partition(":")[0] == o.action]
        added += [i for o in taken for i in o.indexes]
        tables.append(
            msgspec.structs.replace(
                table,
                checks=(*table.checks, *(c for o in taken for c in o.checks)),
                columns=(*table.columns, *(c for o in taken for c in o.columns)),
            )
        )
    plan = msgspec.structs.replace(plan, tables=tuple(tables), indexes=(*plan.indexes, *added))
    return plan, tuple(o.finding for o in made.values())


def _offers(around: _Around, looks: Mapping[str, TextShape], choices: Choices) -> Iterator[Offer]:
    fixed = around.fixed() if looks else set()
    for column in around.table.loaded:
        shape = looks.get(column.source or "")
        if shape is None or column.type.kind is not Kind.TEXT:
            continue
        place = _Place(around.table, column)
        if column.name not in fixed:
            yield from _types(place, shape)
            yield from _closed(around, place, shape)
        yield from _unique(around, place, shape)
    if around.plan.origin == "prisma":
        yield from _query_indexes(around, looks)
        yield from _new_column(around, choices)


def _types(place: _Place, shape: TextShape) -> Iterator[Offer]:
    for kind in _TYPES:
        fit = next((t for t in kind.types if t in shape.types), None)
        if fit is not None and shape.count > 1:
            message = f"All {shape.count:,} texts of {place} are {kind.called}: it could be {fit}; {kind.effect}."
            advice = f"Choose it if the application reads {fit} there, or keep text. [schema.casts] does the same."
            way = Repair(f"type:{fit}", lossless=True, text=f"let the column become {fit}")
            yield Offer(place.finding(kind.code, message, advice, shape.count, way))
            continue
        misfit = next((shape.misfits[t] for t in kind.types if t in shape.misfits), None)
        if misfit is not None:
            message = f"All but {misfit.count:,} of the {shape.count:,} texts of {place} are {kind.called}."
            advice = f"Mend these rows in the source if the column is to become {kind.types[0]}."
            yield place.obstacle(kind.code, message, advice, misfit)


def _closed(around: _Around, place: _Place, shape: TextShape) -> Iterator[Offer]:
    if not shapes.closed(shape.count, shape.values):
        return
    table, column, plan = around.table, place.column, around.plan
    default = [column.default.text] if column.default and shapes.may_be_closed([column.default.text]) else []
    labels = tuple(dict.fromkeys((*shape.values, *default)))
    name = names.enum_type(table.source, column.name)
    check = CheckPlan(names.fitted(f"{table.name}_{column.name}_check"), _among(column.name, labels))
    ways = [Repair("check_in", lossless=True, text=f"keep text, with a CHECK that allows these {len(labels)} only")]
    if name not in {*(t.name for t in plan.tables), *(e.name for e in plan.enums), *(i.name for i in plan.indexes)}:
        ways.insert(0, Repair(f"enum:{','.join(labels)}", lossless=True, text=f'an enum "{name}" of these labels'))
    message = f"The {shape.count:,} texts of {place} are {len(labels)} words: {', '.join(labels)}."
    advice = "If there are no others, let PostgreSQL refuse them: an enum (add labels that will come), or a CHECK."
    finding = place.finding("review_closed_set", message, advice, shape.count, *ways)
    yield Offer(finding, "check_in", checks=(check,))


def _among(column: str, labels: Iterable[str]) -> str:
    quoted = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
    return f"{names.quoted(column)} IN ({quoted})"


def _unique(around: _Around, place: _Place, shape: TextShape) -> Iterator[Offer]:
    column = place.column
    if (column.name,) in around.leads(unique=True):
        return
    if shape.distinct and shape.count > 1:
        index = _index(around.table, (column.name,), unique=True)
        message = f"No two of the {shape.count:,} texts of {place} are equal, which looks like a rule of the business."
        advice = f"Choose it if two rows may never have one {column.source}: {_statement(index)}"
        way = Repair("unique_add", lossless=True, text="let PostgreSQL refuse a second row of the same text")
        yield Offer(place.finding("review_unique_name", message, advice, shape.count, way), "unique_add", (index,))
    elif shape.doubled is not None:
        message = f"{shape.doubled.count:,} of the {shape.count:,} rows with a text in {place} share it with another."
        advice = "Rename or remove them in the source if it is to be unique."
        yield place.obstacle("review_unique_name", message, advice, shape.doubled)


def _query_indexes(around: _Around, looks: Mapping[str, TextShape]) -> Iterator[Offer]:
    """Offer what searches by day, by day for a parent, and by state go by."""
    table, day = around.table, _day(around.table, looks)
    wanted: list[tuple[str, ...]] = [(day,)] if day else []
    wanted += [(k.columns[0], day) for k in around.references if day and len(k.columns) == 1]
    wanted += [(c.name,) for c in table.loaded if c.name.lower() in _STATES and c.type.kind in (Kind.TEXT, Kind.ENUM)]
    leads = around.leads()
    for columns in wanted:
        if any(lead[: len(columns)] == columns for lead in leads):
            continue
        index = _index(table, columns, unique=False)
        listed = ", ".join(map(names.quoted, columns))
        message = f'No index of "{table.name}" begins with ({listed}), so a search by it reads all of the table.'
        advice = f"Choose index_add, or later: {_statement(index)}"
        way = Repair("index_add", lossless=True, text="make this index as well")
        place = _Place(table, table.column(columns[0]))
        yield Offer(place.finding("review_query_index", message, advice, 1, way), "index_add", (index,))


def _day(table: TablePlan, looks: Mapping[str, TextShape]) -> str | None:
    days = [
        c.name
        for c in table.loaded
        if (c.type.kind in DATES or "date" in looks.get(c.source or "", TextShape(0)).types)
        and c.name.lower() not in _STAMPS
    ]
    return next((d for d in days if d.lower() in ("date", "day")), days[0] if days else None)


def _new_column(around: _Around, choices: Choices) -> Iterator[Offer]:
    """Offer a document beside what others refer to, where there is none yet."""
    table = around.table
    referred = any(k.table != table.name for k in around.referred)
    has = any(c.type.kind in (Kind.JSON, Kind.JSONB) or c.name == _NEW_COLUMN for c in table.columns)
    chosen = choices.repairs.get(f"review_new_column/{table.source}", "")
    if not chosen and (has or not referred):
        return
    way = Repair(f"column_add:{_NEW_COLUMN}", lossless=True, text="add an empty column of JSON")
    finding = Finding(
        "review_new_column",
        Severity.INFO,
        f'"{table.source}", to which other tables refer, has no column for further facts.',
        f'Choose column_add for an empty column "{_NEW_COLUMN}" jsonb, or another name for it.',
        table.source,
        None,
        1,
        (),
        (way,),
    )
    name = (chosen or way.id).partition(":")[2]
    free = names.obstacle(name, {c.name for c in table.columns}, column=True) is None
    yield Offer(finding, "column_add", columns=(ColumnPlan(None, name, TargetType(Kind.JSONB)),) if free else ())


def _index(table: TablePlan, columns: tuple[str, ...], *, unique: bool) -> IndexPlan:
    name = f"{'_'.join((table.name, *columns))}_{'key' if unique else 'idx'}"
    return IndexPlan(names.fitted(name), table.name, columns, unique)


def _statement(index: IndexPlan) -> str:
    columns = ", ".join(map(names.quoted, index.columns))
    kind = "UNIQUE INDEX" if index.unique else "INDEX"
    return f"CREATE {kind} CONCURRENTLY {names.quoted(index.name)} ON {names.quoted(index.table)} ({columns})"
