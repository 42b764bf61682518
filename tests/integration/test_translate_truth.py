"""Hundreds of expressions, each evaluated by SQLite itself and, translated, by a real PostgreSQL, row by row."""

import sqlite3
from collections.abc import Iterator

import pytest
import translate_ground as ground

from zenni_tui.convert import translate
from zenni_tui.model.plan import Kind, TargetType

COMPARED = (
    *(("i", "j"), ("i", "k"), ("i", "0"), ("i", "9007199254740993"), ("i", "r"), ("r", "i"), ("q", "j"), ("k", "q")),
    *(("r", "q"), ("r", "0.5"), ("r", "5"), ("i", "0.5"), ("i", "9007199254740992.0"), ("i", "9.3e18")),
    *(("i", "1e400"), ("k", "-1e400")),
    *(("n", "0.1"), ("n", "5"), ("n", "i"), ("n", "r"), ("n", "12.340"), ("n", "1e17"), ("i", "NULL"), ("s", "NULL")),
    *(("s", "t"), ("s", "'abc'"), ("s", "5"), ("i", "'5'"), ("i", "' 5 '"), ("i", "'abc'"), ("i", "'5.0'")),
    *(("s", "'Ä'"), ("k", "'5e0'"), ("k", "'0x5'")),
    *(("c", "'ABC'"), ("'ABC'", "c"), ("s", "c"), ("c", "s"), ("p", "'abc'"), ("s", "'abc' COLLATE NOCASE")),
    *(("s COLLATE NOCASE", "t"), ("c COLLATE BINARY", "'aBc'"), ("s COLLATE RTRIM", "p"), ("c", "p COLLATE BINARY")),
    *(("b", "a"), ("b", "1"), ("b", "0"), ("b", "2"), ("b", "i"), ("b", "0.5"), ("b", "'1'"), ("b", "'x'"), ("b", "r")),
    *(("x", "y"), ("x", "x'616263'"), ("x", "'abc'"), ("x", "5"), ("s", "x"), ("d", "e"), ("z", "z"), ("day", "day")),
    *(("length(s)", "3"), ("length(s)", "'3'"), ("lower(s)", "'abc'"), ("i", "i + 0"), ("i", "-9223372036854775808")),
    *(("r", "-0.0"), ("r", "1e400"), ("CAST(i AS TEXT)", "5"), ("i || ''", "5"), ("s || ''", "5"), ("i + j", "0")),
    *(("CAST(k AS TEXT)", "'5'"), ("coalesce(r, 0)", "5"), ("coalesce(s, '')", "''"), ("i = 5", "1"), ("(i > 0)", "b")),
    *(
        ("i * 2", "10"),
        ("i - k", "j"),
        ("r + 1", "q"),
        ("coalesce(r, k)", "coalesce(q, 7)"),
        ("n", "k"),
        ("n", "n + 0"),
    ),
)
OPERATORS = ("=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT", "==", "!=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
COMPARISONS = [f"{left} {op} {right}" for left, right in COMPARED for op in OPERATORS]
ODDITIES = ["s <> 'x'--y\n", "i /* \n ' */ > 0", "\n\ti\r\n=\f5", "s = 'line\nfeed'"]
CORPUS = ground.corpus("translate_corpus.txt")
REFUSED = [(name, t) for name, texts in CORPUS.items() if name.startswith("refused") for t in texts]


@pytest.fixture
def both(database: dict[str, str]) -> Iterator[tuple[sqlite3.Connection, ground.Pg]]:
    """Yield the same table in both databases."""
    lite = ground.source(ground.ROWS)
    with ground.target(database, ground.ROWS) as pg:
        yield lite, pg
    lite.close()


def test_conditions_have_the_same_truth(both: tuple[sqlite3.Connection, ground.Pg]) -> None:
    """A translated condition is true, false or NULL exactly where SQLite's is, and fits an index and a CHECK."""
    lite, pg = both
    for text in (*COMPARISONS, *CORPUS["conditions"], *ODDITIES):
        sql = translate.boolean(text, ground.COLUMNS, indexed=True)
        pairs = list(zip(ground.truths(lite, text), ground.answers(pg, sql), strict=True))
        assert all(ground.same(*p) for p in pairs), f"{text} -> {sql}: {[p for p in pairs if not ground.same(*p)]}"
        if text in COMPARISONS:
            continue
        if any(found is ground.REFUSED for _, found in pairs):
            continue
        pg.execute(f"CREATE INDEX ON g (id) WHERE {sql}".encode())
        pg.execute(f"ALTER TABLE g ADD CHECK ({sql}) NOT VALID".encode())


def test_values_are_the_same(both: tuple[sqlite3.Connection, ground.Pg]) -> None:
    """A translated expression has SQLite's value in each row, and fits an index."""
    lite, pg = both
    for text in CORPUS["values"]:
        sql = translate.expression(text, ground.COLUMNS, indexed=True)
        pairs = list(zip(ground.values(lite, text), ground.answers(pg, sql), strict=True))
        assert all(ground.same(*p) for p in pairs), f"{text} -> {sql}: {[p for p in pairs if not ground.same(*p)]}"
        if all(found is not ground.REFUSED for _, found in pairs):
            pg.execute(f"CREATE INDEX ON g (({sql}))".encode())


@pytest.mark.parametrize(("why", "text"), REFUSED)
def test_what_is_not_certain_is_refused(why: str, text: str) -> None:
    """What has no surely equal form is refused with a sentence, not translated."""
    assert why
    with pytest.raises(translate.Untranslatable) as refusal:
        translate.expression(text, ground.COLUMNS)
    assert refusal.value.reason.endswith(".")


@pytest.mark.parametrize(
    "text", ["", "  ", "-- nothing", "s = 'a\0b'", "s = '\udc80'", "(" * 5000, "i = " * 20_000, "1" + "+1" * 9000]
)
def test_no_text_is_a_crash(text: str) -> None:
    """Texts that are empty, cut off, too long or not valid Unicode are refused."""
    with pytest.raises(translate.Untranslatable):
        translate.boolean(text, ground.COLUMNS)
    with pytest.raises(translate.Untranslatable):
        translate.default(text, TargetType(Kind.BIGINT))


GENERATED = (
    ("i + 1", TargetType(Kind.BIGINT)),
    ("i > 0", TargetType(Kind.BIGINT)),
    ("i > 0", TargetType(Kind.BOOLEAN)),
    ("k * 2", TargetType(Kind.DOUBLE)),
    ("k * 2", TargetType(Kind.NUMERIC)),
    ("k", TargetType(Kind.TEXT)),
    ("s || '-' || t", TargetType(Kind.TEXT)),
    ("lower(c)", TargetType(Kind.TEXT)),
    ("substr(t, instr(t, '@') + 1)", TargetType(Kind.TEXT)),
    ("substr(x, 2)", TargetType(Kind.BYTEA)),
    ("r / 2", TargetType(Kind.DOUBLE)),
    ("n", TargetType(Kind.NUMERIC)),
    ("d", TargetType(Kind.TIMESTAMP, 3)),
    ("strftime('%Y', d)", TargetType(Kind.TEXT)),
    ("CAST(strftime('%Y', d) AS INTEGER)", TargetType(Kind.BIGINT)),
    ("NULL", TargetType(Kind.TEXT)),
)


def test_generated_columns_hold_the_same(both: tuple[sqlite3.Connection, ground.Pg]) -> None:
    """An expression made for a column's type computes what SQLite's generated column holds."""
    lite, pg = both
    outside = "i NOT IN (9223372036854775807, -9223372036854775808) OR i IS NULL"
    pg.execute(f"DELETE FROM g WHERE NOT ({outside})".encode())
    lite.execute(f"DELETE FROM g WHERE NOT ({outside})")
    for number, (text, kind) in enumerate(GENERATED):
        sql = translate.expression(text, ground.COLUMNS, kind, indexed=True)
        pg.execute(f"ALTER TABLE g ADD made_{number} {kind} GENERATED ALWAYS AS ({sql}) STORED".encode())
        found = ground.answers(pg, f"made_{number}")
        if kind.kind is Kind.TIMESTAMP:
            found = ground.answers(pg, f"to_char(made_{number}, 'YYYY-MM-DD HH24:MI:SS.MS')")
        expected = [str(v) if kind.kind is Kind.TEXT and v is not None else v for v in ground.values(lite, text)]
        assert all(ground.same(a, b) for a, b in zip(expected, found, strict=True)), f"{text}: {expected} {found}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("r", TargetType(Kind.BIGINT)),
        ("s", TargetType(Kind.BIGINT)),
        ("i", TargetType(Kind.BOOLEAN)),
        ("i", TargetType(Kind.DOUBLE)),
        ("r", TargetType(Kind.TEXT)),
        ("s", TargetType(Kind.TIMESTAMP, 3)),
        ("date(d)", TargetType(Kind.DATE)),
        ("x", TargetType(Kind.TEXT)),
        ("s COLLATE NOCASE", TargetType(Kind.TEXT)),
    ],
)
def test_a_value_of_another_type_is_refused(text: str, kind: TargetType) -> None:
    """A generated column whose values would change in the column's type is refused."""
    with pytest.raises(translate.Untranslatable):
        translate.expression(text, ground.COLUMNS, kind)
