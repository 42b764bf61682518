"""database.md: the schema with its diagram, what every column means, and what is PostgreSQL's own in it."""

from collections.abc import Iterable

from zenni_tui.model.findings import Finding
from zenni_tui.model.plan import Counter, Default, DefaultKind, Kind, TablePlan
from zenni_tui.report.document import Block, Bullets, Code, Heading, Line, Mono, Paragraph, Table

from .diagram import picture
from .facts import Facts, name_of, origin
from .meaning import held, meaning

NAME = "database.md"


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document."""
    plan = facts.plan
    yield Heading(1, "The database")
    yield origin(facts)
    yield Heading(2, "Overview")
    yield Paragraph(
        f"{len(plan.tables)} tables with {plan.rows:,} rows at the migration, {len(plan.indexes)} indexes,"
        f" {len(plan.foreign_keys)} references, {len(plan.enums)} enums, {len(plan.views)} views. Types come from"
        f" {'schema.prisma' if plan.origin == 'prisma' else 'the declarations and contents of the SQLite file'}."
    )
    yield picture(plan)
    yield Table(
        ("table", "rows", "key", "refers to", "referred to by"),
        tuple(_overview(facts, t) for t in plan.tables),
        frozenset({1}),
    )
    yield from _choices(facts)
    yield Heading(2, "Tables")
    for table in plan.tables:
        yield from _table(facts, table)
    yield from _others(facts)


def _overview(facts: Facts, table: TablePlan) -> tuple[Line, ...]:
    up = dict.fromkeys(k.parent for k in facts.outward.get(table.name, ()))
    down = dict.fromkeys(k.table for k in facts.inward.get(table.name, ()))
    return (
        Mono(table.name),
        f"{table.rows:,}",
        _listed(table.key.columns if table.key else ()),
        *map(_listed, (up, down)),
    )


def _listed(names: Iterable[str]) -> Line:
    return tuple(part for at, name in enumerate(names) for part in ((", ", Mono(name)) if at else (Mono(name),)))


def _table(facts: Facts, table: TablePlan) -> Iterable[Block]:
    yield Heading(3, table.name)
    renamed = ("" if table.source == table.name else "In SQLite ", Mono(table.source), ". ")
    yield Paragraph(
        (
            *(renamed if renamed[0] else ()),
            f"{table.rows:,} rows at the migration",
            f", {len(table.quarantine):,} kept out" if table.quarantine else "",
            ".",
        )
    )
    rows = zip(table.columns, facts.table(table), strict=True)
    yield Table(
        ("column", "type", "NULL", "default", "in SQLite", "held there", "meaning"),
        tuple(
            (
                Mono(column.name),
                Mono(str(column.type)),
                "no" if column.not_null else "allowed",
                _default(column.default, column.counter),
                _declared(column.name, column.source, source.declared if source else ""),
                held(facts.profile(table, column)) if column.source else "",
                meaning(column, facts.profile(table, column)),
            )
            for column, source in rows
        ),
    )
    yield from _rules(facts, table)


def _default(default: Default | None, counter: Counter | None) -> Line:
    if counter is not None:
        return "next number"
    if default is None:
        return ""
    words = {DefaultKind.NOW: "CURRENT_TIMESTAMP"}
    return Mono(words.get(default.kind, default.text) or "''")


def _declared(name: str, source: str | None, declared: str) -> Line:
    if source is None:
        return "none"
    return (Mono(source), " ", Mono(declared or "no type")) if source != name else Mono(declared or "no type")


def _rules(facts: Facts, table: TablePlan) -> Iterable[Block]:
    plan = facts.plan
    indexes = plan.indexes_of(table.name)
    if indexes:
        yield Table(("index", "of", ""), tuple(name_of(i) for i in indexes))
    keys = facts.outward.get(table.name, [])
    rows = (
        (
            Mono(k.name),
            (_listed_words(k.columns), " to ", Mono(k.parent), " ", _listed_words(k.parent_columns)),
            k.on_delete,
            k.on_update,
            "" if k.validated else "NOT VALID: old rows were not checked",
        )
        for k in keys
    )
    if keys:
        yield Table(("reference", "from and to", "on delete", "on update", ""), tuple(rows))
    if table.checks:
        yield Table(("check", "rule"), tuple((Mono(c.name), Mono(c.expression)) for c in table.checks))


def _listed_words(names: Iterable[str]) -> Mono:
    return Mono(f"({', '.join(names)})")


def _choices(facts: Facts) -> Iterable[Block]:
    yield Heading(2, "What is PostgreSQL's own, and why")
    yield Bullets(tuple(_chosen(facts)))


_WHY = {
    Kind.TIMESTAMP: "Timestamps without a time zone, which hold UTC, as Prisma reads and writes them",
    Kind.TIMESTAMPTZ: "Moments (timestamptz), shown in the session's time zone",
    Kind.BOOLEAN: "Booleans, to be compared with true and false where SQLite held 0 and 1",
    Kind.JSONB: "jsonb: checked, searchable by GIN indexes, without the order of keys",
    Kind.JSON: "json: checked, and kept letter by letter",
    Kind.NUMERIC: "numeric, so that money is exact",
    Kind.UUID: "uuid: 16 bytes instead of 36 letters, checked",
    Kind.ENUM: "Enums: another word is refused; ALTER TYPE ... ADD VALUE adds one",
    Kind.DOUBLE: "double precision, as in SQLite: sums may differ in the last digit by the order of rows",
}


def _chosen(facts: Facts) -> Iterable[Line]:
    plan = facts.plan
    columns = [(t, c) for t in plan.tables for c in t.columns]
    for kind, words in _WHY.items():
        found = [f"{t.name}.{c.name}" for t, c in columns if c.type.kind is kind]
        if found:
            yield (f"{words}: ", *some(found), ".")
    counted = [f"{t.name}.{c.name}" for t, c in columns if c.counter is not None]
    if counted:
        yield ("Numbers from a sequence, in which a rolled-back insert leaves a gap: ", *some(counted), ".")
    yield from _server(facts)
    yield from (_decision(f) for f in facts.state.findings if f.chosen)


def _server(facts: Facts) -> Iterable[Line]:
    plan, server = facts.plan, facts.check("server")
    if server:
        same = ", collation C," in server
        order = "by bytes, as in SQLite" if same else "by that collation, where SQLite sorted by bytes"
        yield f"The server: {server}. Text sorts {order}."
    mixed = [t.name for t in plan.tables if t.name != t.name.lower()]
    if mixed:
        yield ("Names with capitals, such as ", Mono(mixed[0]), ", must be quoted in SQL: ", Mono(f'"{mixed[0]}"'), ".")
    access = plan.access
    if access.row_security:
        yield "Row level security is on for every table: a role without a policy sees no rows."
    if access.closed_to:
        yield ("Rights on the tables are revoked from ", *some(list(access.closed_to)), ".")
    if access.open_to:
        yield ("The tables are open to ", *some(list(access.open_to)), " through the Data API.")
    if plan.adopted:
        yield (*some(list(plan.adopted)), " were there before the migration, made by the application's own migrations.")


def some(names: list[str]) -> tuple[str, ...]:
    """Return the first names of many, as parts of a line."""
    shown = [Mono(n) for n in names[:8]]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return (*(part for at, n in enumerate(shown) for part in ((", ", n) if at else (n,))), more)


def _decision(finding: Finding) -> Line:
    repair = next((r.text for r in finding.repairs if r.id == finding.chosen), "")
    return "Decided: ", Mono(f"{finding.id} = {finding.chosen}"), f". {finding.message} {repair}".rstrip()


def _others(facts: Facts) -> Iterable[Block]:
    plan = facts.plan
    if plan.enums:
        yield Heading(2, "Enums")
        yield Table(("enum", "words, in order"), tuple((Mono(e.name), Mono(", ".join(e.labels))) for e in plan.enums))
    if plan.views:
        yield Heading(2, "Views")
        for view in plan.views:
            yield Heading(3, view.name)
            yield Code(view.query, "sql")
    if plan.not_migrated:
        yield Heading(2, "What stayed behind")
        left = tuple((Mono(n.name), f"{n.rows:,}", n.rule) for n in plan.not_migrated)
        yield Table(("what", "rows", "why"), left, frozenset({1}))
    triggers = [o for o in facts.schema.others if o.kind == "trigger"]
    if triggers:
        yield Heading(2, "SQLite's triggers, which have no equal here")
        yield from (Code(t.sql, "sql") for t in triggers)
