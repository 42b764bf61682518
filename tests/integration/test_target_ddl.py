"""DDL round trip: what the plan says, made in a real PostgreSQL, is what the verifier finds in its catalogue."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenni_tui.compare.session import pin_session
from zenni_tui.compare.structure import compare_structure
from zenni_tui.model.plan import (
    ColumnPlan,
    Counter,
    Default,
    DefaultKind,
    EnumPlan,
    ForeignKeyPlan,
    IndexPlan,
    KeyPlan,
    Kind,
    Plan,
    TablePlan,
    TargetType,
)
from zenni_tui.target import catalogue, ddl
from zenni_tui.target.connect import Target as Place

Target = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def place(server: Any) -> Iterator[Place]:
    """Yield one database for all plans of this module."""
    server.create_database("target_ddl")
    conninfo = server.conninfo("target_ddl")
    yield Place(conninfo, conninfo["password"], name="tests")
    server.drop_database("target_ddl")


@pytest.fixture
def target(place: Place) -> Iterator[Target]:
    """Yield a pinned session, and leave no schema but an empty public one behind."""
    with place.connect() as connection:
        pin_session(connection)
        yield connection
        mine = connection.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspowner = current_user::regrole"
        ).fetchall()
        kept = ("pg_", "information_schema")
        names = ", ".join(name for (name,) in mine if not name.strip('"').startswith(kept))
        connection.execute(
            f"DROP SCHEMA IF EXISTS public{names and ', '}{names} CASCADE; CREATE SCHEMA public".encode()
        )


def build(target: Target, plan: Plan) -> None:
    """Make everything the plan says, as the steps do."""
    there = target.execute("SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", (plan.schema,)).fetchone() == (True,)
    makers = (
        ddl.create_tables(plan, schema_there=there),
        ddl.primary_keys(plan),
        ddl.indexes(plan),
        ddl.foreign_keys(plan),
    )
    for statement in (s for statements in makers for s in statements):
        target.execute(statement.sql.encode())


def differences(target: Target, plan: Plan) -> list[str]:
    """Return what the verifier finds wrong."""
    found = compare_structure(target, plan)
    assert found.checks > 0
    return [f"{d.object}: {d.expected!r}, not {d.found!r}" for d in found.differences]


LONG = "é" * 31 + "x"
NASTY = [
    *(
        'say "so"',
        "sp ace",
        "per%cent %s %(a)s %%",
        "co:lon :name ::text",
        "back\\slash\\",
        "emoji 😀",
        "a'b",
        "$1",
        "tab\ta",
    ),
    *(
        "new\nline",
        "CamelCase",
        "select",
        "user",
        "order",
        "end",
        "1st",
        "ünï",
        " leading",
        "trailing ",
        LONG,
        "--",
        "/*",
        ";",
    ),
]


def plan_named(name: str, schema: str = "public") -> Plan:
    """Return a plan that uses a name wherever a name can be."""
    integer = TargetType(Kind.INTEGER)
    parent = TablePlan(
        name,
        name,
        (
            ColumnPlan(name, name, integer, not_null=True),
            ColumnPlan("n", f"{name[:20]}2", TargetType(Kind.TEXT), default=Default(DefaultKind.LITERAL, name)),
            ColumnPlan(
                "e", "e", TargetType(Kind.ENUM, enum=f"{name[:20]}e"), default=Default(DefaultKind.LITERAL, name)
            ),
        ),
        KeyPlan(f"{name[:20]}k", (name,)),
    )
    child = TablePlan("c", f"{name[:20]}c", (ColumnPlan("p", name, integer),), None)
    return Plan(
        schema,
        (parent, child),
        (EnumPlan(f"{name[:20]}e", (name, "other")),),
        (
            IndexPlan(f"{name[:20]}i", name, (name, f"{name[:20]}2"), descending=(True, False)),
            IndexPlan(f"{name[:20]}u", name, (f"{name[:20]}2",), unique=True),
        ),
        (ForeignKeyPlan(f"{name[:20]}f", child.name, (name,), name, (name,), "CASCADE", "SET NULL"),),
    )


@pytest.mark.parametrize("name", NASTY)
def test_any_name_is_kept_to_the_byte(target: Target, place: Place, name: str) -> None:
    """Tables, columns, keys, indexes, enums, labels and text defaults of any name are made, found and dropped again."""
    plan = plan_named(name)
    build(target, plan)
    assert differences(target, plan) == []
    tables = [row[0] for row in target.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert sorted(tables) == sorted(t.name for t in plan.tables)
    target.execute(f"INSERT INTO {_quoted(plan.tables[1].name)} DEFAULT VALUES".encode())
    found = {r.name: r.filled for r in catalogue.relations(place.engine(), "public") if r.kind == "r"}
    assert found == {name: False, plan.tables[1].name: True}
    assert catalogue.enum_names(place.engine(), "public") == {f"{name[:20]}e"}
    types = catalogue.column_types(place.engine(), "public")
    assert types[name, name] == "integer"
    for kind, thing in (("table", plan.tables[1].name), ("table", name), ("type", f"{name[:20]}e")):
        target.execute(ddl.drop(kind, thing, "public").encode())
    assert catalogue.relations(place.engine(), "public") == ()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("schema", ["app", "App Schema", "per%cent", 'q"uote', "co:lon :x", "user"])
def test_any_schema_is_made_and_dropped(target: Target, schema: str) -> None:
    """A schema of any name is made with everything in it, and its drop never cascades."""
    plan = plan_named("thing", schema)
    build(target, plan)
    assert differences(target, plan) == []
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        target.execute(ddl.drop("schema", schema, schema).encode())
    for kind, name in (("table", "thingc"), ("table", "thing"), ("type", "thinge"), ("schema", schema)):
        target.execute(ddl.drop(kind, name, schema).encode())
    assert target.execute("SELECT to_regnamespace(quote_ident(%s))", (schema,)).fetchone() == (None,)


def test_every_reserved_word_can_be_a_name(target: Target) -> None:
    """All of the server's own key words work as names of tables and columns."""
    words = [row[0] for row in target.execute("SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'")]
    columns = tuple(ColumnPlan(w, w, TargetType(Kind.TEXT)) for w in words)
    plan = Plan("public", (TablePlan("t", "t", columns), *(TablePlan(w, w, columns[:1]) for w in words)))
    with target.transaction(force_rollback=True):
        build(target, plan)
        assert differences(target, plan) == []


TYPES = [TargetType(k) for k in Kind if k is not Kind.ENUM] + [
    *(
        TargetType(Kind.VARCHAR, 7),
        TargetType(Kind.CHAR, 3),
        TargetType(Kind.NUMERIC, 10, 2),
        TargetType(Kind.NUMERIC, 5),
    ),
    *(TargetType(k, n) for k in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME) for n in (0, 3, 6)),
]


def test_every_type_becomes_what_was_planned(target: Target, place: Place) -> None:
    """The catalogue spells each type as the plan does, with its length, precision and scale."""
    columns = tuple(ColumnPlan(None, f"c{i}", t, not_null=i % 2 == 0) for i, t in enumerate(TYPES))
    plan = Plan("public", (TablePlan("t", "t", columns),))
    build(target, plan)
    assert differences(target, plan) == []
    found = catalogue.column_types(place.engine(), "public")
    bare = {"character": "character(1)", "numeric(5)": "numeric(5,0)"}
    assert found == {("t", c.name): bare.get(str(c.type), str(c.type)) for c in columns}


DEFAULTS = [
    *(
        (Kind.TEXT, text)
        for text in ("", "it's", 'say "so"', "back\\slash\\n", "5% %s :x ::text", "ä😀", "a\tb\nc", "NULL", "$$")
    ),
    *(
        (Kind.INTEGER, "0"),
        (Kind.INTEGER, "-1"),
        (Kind.BIGINT, "9223372036854775807"),
        (Kind.BIGINT, "-9223372036854775808"),
    ),
    *((Kind.DOUBLE, "1.5e-7"), (Kind.DOUBLE, "-0"), (Kind.NUMERIC, "12345678901234567890.10"), (Kind.BOOLEAN, "true")),
    *(
        (Kind.TIMESTAMP, "2024-02-29 12:00:00.123"),
        (Kind.DATE, "2024-02-29"),
        (Kind.TIME, "23:59:59.5"),
        (Kind.BYTEA, "\\x00ff"),
    ),
    *(
        (Kind.JSONB, '{"a": "it\'s :x %"}'),
        (Kind.JSON, "[]"),
        (Kind.UUID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        (Kind.VARCHAR, "v"),
    ),
]


def test_every_default_gives_what_was_planned(target: Target) -> None:
    """A literal of any characters is, after an insert, the very value; the verifier finds it unchanged."""
    columns = tuple(
        ColumnPlan(None, f"c{i}", TargetType(k), default=Default(DefaultKind.LITERAL, text))
        for i, (k, text) in enumerate(DEFAULTS)
    )
    plan = Plan("public", (TablePlan("t", "t", columns),))
    build(target, plan)
    assert differences(target, plan) == []
    target.execute("INSERT INTO t DEFAULT VALUES")
    for i, (kind, text) in enumerate(DEFAULTS):
        same = target.execute(f"SELECT c{i}::text = %s::text::{kind}::text FROM t".encode(), (text,)).fetchone()
        assert same == (True,), (kind, text)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")), min_size=3, max_size=8)
)
def test_any_text_is_a_default(target: Target, texts: list[str]) -> None:
    """No text breaks out of its quotes or is changed on the way into the catalogue."""
    columns = tuple(
        ColumnPlan(None, f"c{i}", TargetType(Kind.TEXT), default=Default(DefaultKind.LITERAL, t))
        for i, t in enumerate(texts)
    )
    with target.transaction(force_rollback=True):
        build(target, Plan("public", (TablePlan("t", "t", columns),)))
        assert target.execute("INSERT INTO t DEFAULT VALUES RETURNING *").fetchone() == tuple(texts)


def test_defaults_that_are_computed(target: Target) -> None:
    """CURRENT_TIMESTAMP and expressions, with colons and per cent signs in them, are what the verifier expects."""
    columns = (
        ColumnPlan(None, "a", TargetType(Kind.TIMESTAMP, 3), default=Default(DefaultKind.NOW)),
        ColumnPlan(None, "b", TargetType(Kind.TEXT), default=Default(DefaultKind.EXPRESSION, "('%s :x'::text || 'y')")),
        ColumnPlan(None, "c", TargetType(Kind.UUID), default=Default(DefaultKind.EXPRESSION, "gen_random_uuid()")),
        ColumnPlan(None, "d", TargetType(Kind.INTEGER), default=Default(DefaultKind.EXPRESSION, "(7 % 4)")),
    )
    plan = Plan("public", (TablePlan("t", "t", columns),))
    build(target, plan)
    assert differences(target, plan) == []
    assert target.execute("INSERT INTO t DEFAULT VALUES RETURNING b, d").fetchone() == ("%s :xy", 3)


def test_counters_keys_and_actions(target: Target) -> None:
    """Serial and identity columns, composite keys in their own order, self references and every action are made."""
    integer = TargetType(Kind.INTEGER)
    actions = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")
    pair = TablePlan(
        "pair",
        "pair",
        (ColumnPlan("a", "a", integer, not_null=True), ColumnPlan("b", "b", integer, not_null=True)),
        KeyPlan("pair_pkey", ("b", "a")),
    )
    counted = TablePlan(
        "counted",
        "counted",
        (
            ColumnPlan("s", "s", integer, not_null=True, counter=Counter.SERIAL),
            ColumnPlan("i", "i", TargetType(Kind.BIGINT), not_null=True, counter=Counter.IDENTITY),
            *(ColumnPlan(f"r{n}", f"r{n}", integer) for n in range(2 * len(actions))),
        ),
        KeyPlan("counted_pkey", ("s",)),
    )
    keys = [
        ForeignKeyPlan(f"fk{n}", "counted", (f"r{2 * n}", f"r{2 * n + 1}"), "pair", ("b", "a"), action, actions[-1 - n])
        for n, action in enumerate(actions)
    ]
    keys.append(ForeignKeyPlan("self", "counted", ("r0",), "counted", ("s",)))
    plan = Plan("public", (pair, counted), foreign_keys=tuple(keys))
    build(target, plan)
    assert differences(target, plan) == []


def test_the_script_is_what_is_run(target: Target) -> None:
    """The DDL that is shown for reading makes the same database, statement by statement."""
    plan = plan_named("it's 5% :x", "app")
    target.execute(ddl.script(plan).encode())
    assert differences(target, plan) == []
