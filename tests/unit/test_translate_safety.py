"""What a translation may never do: take a name or a string for syntax, leave one unquoted, or guess."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from zenni_tui.convert import translate
from zenni_tui.convert import translate_source as source
from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, TargetType
from zenni_tui.model.schema import ColumnProfile, SourceColumn

NASTY = (
    *("it's", 'say "so"', "back\\slash", "100%", "%s", "%(x)s", ":name", "a:b::c", "$$", "$1", "$tag$ x $tag$", "-- x"),
    *("/* x */", "; DROP TABLE t; --", "*/ 1 /*", "{{ x }}", "{% x %}", "?", "@x", "#", "`", "[x]", "\n", "\t", "\\'"),
    *("'||'", "\\\\'", "E'", "ä€😀", " ", "'", '"', "''", "NULL", "1", "0", "12", "select", "x' OR '1'='1"),
)
BIG, TEXT = TargetType(Kind.BIGINT), TargetType(Kind.TEXT)


def _tree(sql: str) -> exp.Expression:
    """Return PostgreSQL text as parsed by a parser that didn't make it."""
    statements = sqlglot.parse(f"SELECT {sql}", dialect="postgres")
    assert len(statements) == 1
    assert isinstance(statements[0], exp.Select)
    return statements[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _upper(name: str) -> str:
    """Return a name with A to Z in capitals, which is all that SQLite takes for the same."""
    return "".join(c.upper() if c.isascii() else c for c in name)


def _holds(make: Callable[[], object]) -> object:
    """Return what a translation makes; a refusal must be a sentence, and is None."""
    try:
        return make()
    except translate.Untranslatable as refusal:
        _sentence(refusal.reason)
        return None


def _sentence(reason: str) -> None:
    assert reason.endswith(".")


@pytest.mark.parametrize("text", NASTY)
def test_a_string_stays_a_string(text: str) -> None:
    """A constant of the source is one constant of the translation, whatever is in it."""
    quoted = "'" + text.replace("'", "''") + "'"
    tree = _tree(translate.boolean(f"s = {quoted}", {"s": ("s", TEXT)}))
    assert [n.this for n in tree.find_all(exp.Literal, exp.ByteString)] == [text]
    assert [c.name for c in tree.find_all(exp.Column)] == ["s"]


@pytest.mark.parametrize("name", [n for n in NASTY if n.strip()])
@pytest.mark.parametrize("target", ['T"; DROP TABLE x; --', "plain", "Ünï %s :x"])
def test_a_name_stays_a_name(name: str, target: str) -> None:
    """A column's name is one quoted name of the translation, and the target's, whatever is in it."""
    sql = translate.boolean(f"{_quoted(name)} > 0 AND {_quoted(_upper(name))} < 9", {name: (target, BIG)})
    columns = list(_tree(sql).find_all(exp.Column))
    assert [c.name for c in columns] == [target, target]
    assert all(c.this.quoted for c in columns)


@pytest.mark.parametrize("name", [n for n in NASTY if n.strip()])
def test_a_view_quotes_every_name(name: str) -> None:
    """Tables, aliases, columns and the schema of a view are quoted, whatever is in them."""
    text = f"CREATE VIEW v AS SELECT {_quoted(name)} AS {_quoted(name + 'x')} FROM {_quoted(name)} AS {_quoted(name)}"
    query = translate.view(text, {name: (name + "t", {name: (name + "c", TEXT)})}, name + "n")
    tree = sqlglot.parse(query, dialect="postgres")
    assert len(tree) == 1
    assert tree[0] is not None
    names = list(tree[0].find_all(exp.Identifier))
    assert all(i.quoted for i in names)
    assert {i.this for i in names} == {name, name + "x", name + "t", name + "c", name + "n"}


TOKENS = (
    *("i", "s", "b", "1", "0.5", "'a'", '"q"', "(", ")", ",", "+", "-", "=", "<>", "IS", "NOT", "NULL", "AND", "IN"),
    *("CASE", "WHEN", "THEN", "END", "LIKE", "BETWEEN", "CAST", "AS", "TEXT", "length", "max", "||", ".", "COLLATE"),
    *("NOCASE", "SELECT", "FROM", "x'00'", "/*", "*/", "--", "\n", ";", "$$", "'", '"', "EXISTS", "GLOB", "ESCAPE"),
)


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_text_is_translated_or_refused(text: str) -> None:
    """Whatever the text, the answer is one expression over known, quoted columns, or a refusal."""
    columns = {"i": ("I", BIG), "s": ("S", TEXT), "b": ("B", TargetType(Kind.BOOLEAN))}
    for translated in (translate.boolean, translate.expression):
        sql = _holds(lambda translated=translated: translated(text, columns))
        if sql is not None:
            assert {c.name for c in _tree(str(sql)).find_all(exp.Column)} <= {"I", "S", "B"}


@given(st.lists(st.sampled_from(TOKENS), max_size=6).map(" ".join) | st.text(max_size=20))
def test_any_default_is_translated_or_refused(text: str) -> None:
    """Whatever the text of a DEFAULT, the answer is a default or a refusal."""
    for kind in Kind:
        target = TargetType(kind, enum="e" if kind is Kind.ENUM else None)
        _holds(lambda target=target: translate.default(text, target))


@given(
    st.lists(st.sampled_from((*TOKENS, "t", "*", "JOIN", "ON", "WITH", "UNION", "ORDER", "BY")), max_size=14).map(
        " ".join
    )
)
def test_any_view_is_translated_or_refused(text: str) -> None:
    """Whatever the text of a view, the answer is a query or a refusal."""
    tables = {"t": ("T", {"i": ("I", BIG), "s": ("S", TEXT)})}
    made = _holds(lambda: translate.view(f"CREATE VIEW v AS SELECT {text} FROM t", tables, "n"))
    assert made is None or str(made).startswith(("SELECT", "WITH", "("))


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("price >= 0", '("price" >= 0)'),
        ("status IN ('a', 'b')", "(\"status\" IN ('a', 'b'))"),
        ("ACTIVE", '"active"'),
        ("active IN (0, 1)", '("active" IN (FALSE, TRUE))'),
        ("status < 'b'", '("status" COLLATE "C" < \'b\')'),
        ("length(status) <= 10", '(char_length("status") <= 10)'),
        ("ends > starts", '("ends" > "starts")'),
        ("deleted IS NULL", '("deleted" IS NULL)'),
        ("adults + children <= 9", '(("adults"::bigint + "children") <= 9)'),
    ],
)
def test_ordinary_rules_stay_readable(text: str, sql: str) -> None:
    """An ordinary CHECK is as plain in PostgreSQL as it was in SQLite."""
    when, small = TargetType(Kind.TIMESTAMP, 3), TargetType(Kind.INTEGER)
    columns = {
        "price": ("price", TargetType(Kind.NUMERIC, 10, 2)),
        "status": ("status", TEXT),
        "Active": ("active", TargetType(Kind.BOOLEAN)),
        **{name: (name, when) for name in ("ends", "starts", "deleted")},
        **{name: (name, small) for name in ("adults", "children")},
    }
    assert translate.boolean(text, columns, indexed=True) == sql


def _column(declared: str, kind: TargetType, collation: str = "BINARY") -> translate.Column:
    return translate.column(SourceColumn("c", declared, collation=collation), ColumnPlan("c", "c", kind))


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (_column("", TEXT), "c = 'a'"),
        (_column("NUMERIC", TEXT), "c > 'a'"),
        (_column("TEXT", BIG), "c = 5"),
        (_column("", BIG), "c = 5"),
        (_column("TEXT", TargetType(Kind.UUID)), "c = 'a'"),
        (_column("TEXT", TEXT, "MINE"), "c = 'a'"),
        (_column("JSON", TargetType(Kind.JSONB)), "c = '{}'"),
        (_column("TEXT", TargetType(Kind.BOOLEAN)), "c"),
    ],
)
def test_columns_of_doubtful_values_are_only_asked_for_null(column: translate.Column, text: str) -> None:
    """Where a column's stored values are not known from its type, all but IS NULL is refused."""
    with pytest.raises(translate.Untranslatable):
        translate.boolean(text, {"c": column})
    assert translate.boolean("c IS NOT NULL", {"c": column}) == '(NOT ("c" IS NULL))'


def test_a_profile_settles_what_dates_are() -> None:
    """Dates stored as numbers are compared with numbers; dates and booleans stored in several forms are refused."""
    when = SourceColumn("c", "DATETIME")
    plan = ColumnPlan("c", "c", TargetType(Kind.TIMESTAMP, 3), epoch=Epoch.MILLISECONDS)
    numbers = translate.column(when, plan, ColumnProfile(integers=3))
    assert translate.boolean("c > 1700000000123", {"c": numbers}) == "(\"c\" > '2023-11-14 22:13:20.123000'::timestamp)"
    with pytest.raises(translate.Untranslatable):
        translate.expression("date(c)", {"c": numbers})
    mixed = translate.column(when, plan, ColumnProfile(integers=3, texts=1))
    with pytest.raises(translate.Untranslatable):
        translate.boolean("c > c", {"c": mixed})
    words = translate.column(
        SourceColumn("c", "BOOLEAN"), ColumnPlan("c", "c", TargetType(Kind.BOOLEAN)), ColumnProfile(texts=1)
    )
    with pytest.raises(translate.Untranslatable):
        translate.boolean("c = 1", {"c": words})
    local = translate.column(
        when, ColumnPlan("c", "c", TargetType(Kind.TIMESTAMP, 3), zone="Europe/Helsinki"), ColumnProfile(texts=1)
    )
    with pytest.raises(translate.Untranslatable):
        translate.expression("date(c)", {"c": local})


def test_an_enum_is_kept_out_of_indexes() -> None:
    """An enum's text is not immutable in PostgreSQL, so a CHECK may read it and an index may not."""
    columns = {"c": ("c", TargetType(Kind.ENUM, enum="mood"))}
    assert translate.boolean("c = 'ok'", columns) == "(\"c\"::text = 'ok')"
    with pytest.raises(translate.Untranslatable):
        translate.boolean("c = 'ok'", columns, indexed=True)


@pytest.mark.parametrize(
    ("declared", "affinity"),
    [
        *(
            ("INT", "integer"),
            ("BIGINT", "integer"),
            ("CHARINT", "integer"),
            ("FLOATING POINT", "integer"),
            ("", "blob"),
        ),
        *(("VARCHAR(9)", "text"), ("CLOB", "text"), ("BLOB", "blob"), ("DOUBLE PRECISION", "real"), ("FLOAT", "real")),
        *(("DECIMAL(10,5)", "numeric"), ("BOOLEAN", "numeric"), ("DATETIME", "numeric"), ("STRING", "numeric")),
    ],
)
def test_affinities_are_those_of_the_documentation(declared: str, affinity: str) -> None:
    """The affinity of a declared type follows SQLite's five rules in their order."""
    assert source.affinity(declared) == affinity


def test_sqlglot_is_imported_only_when_needed() -> None:
    """Importing the translator does not import the parser, which is slow to import."""
    code = "import sys, zenni_tui.convert.translate; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
