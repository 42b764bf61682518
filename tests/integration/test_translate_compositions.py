"""Expressions put together at random: SQLite and PostgreSQL agree on them, or they are refused."""

import sqlite3
from datetime import datetime

import pytest
import translate_ground as ground
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenni_tui.convert import translate

COLUMNS_OF = {
    "integer": ("i", "j", "k", '"odd ""name"" % :x"'),
    "real": ("r", "q"),
    "text": ("s", "t", "c", "p"),
    "truth": ("b", "a"),
    "time": ("d", "e", "z"),
    "blob": ("x", "y"),
}
NUMBERS = st.one_of(st.none(), st.integers(-9, 9), st.integers(-40_000, 40_000))
REALS = st.one_of(st.none(), st.sampled_from([0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 3.0, 1e-5, -1234.75, 99999.5]))
ALPHABET = "aAbBäÄ€😀 %_\\'\"*?[]-0159.\n"
TEXTS = st.one_of(st.none(), st.text(alphabet=ALPHABET, max_size=6), st.sampled_from(["abc", "12x", "x y "]))
BLOBS = st.one_of(st.none(), st.binary(max_size=4))
TIMES = st.one_of(
    st.none(),
    st.datetimes(max_value=datetime(9999, 12, 31)).map(lambda d: d.isoformat(" ", "milliseconds")),  # noqa: DTZ001 - UTC
)
ROW = st.fixed_dictionaries(
    {
        **dict.fromkeys(("i", "j", "k", 'odd "name" % :x'), NUMBERS),
        **dict.fromkeys(("r", "q"), REALS),
        **dict.fromkeys(("s", "t", "c", "p"), TEXTS),
        **dict.fromkeys(("b", "a"), st.sampled_from([None, 0, 1])),
        **dict.fromkeys(("d", "e", "z"), TIMES),
        **dict.fromkeys(("x", "y"), BLOBS),
    }
)


def literal(text: str) -> str:
    """Return a string constant."""
    return "'" + text.replace("'", "''") + "'"


def _leaf(kind: str) -> st.SearchStrategy[str]:
    columns = st.sampled_from(COLUMNS_OF[kind])
    constants = {
        "integer": st.integers(-12, 12).map(lambda n: f"({n})"),
        "real": st.sampled_from(["0.5", "2.0", "(-1.5)", "0.1", "1e3"]),
        "text": TEXTS.filter(lambda t: t is not None).map(lambda t: literal(str(t))),
        "truth": st.sampled_from(["TRUE", "FALSE", "NULL", "1", "0"]),
        "blob": st.binary(max_size=2).map(lambda b: f"x'{b.hex()}'"),
    }
    return columns | constants[kind] if kind in constants else columns


PATTERN = st.text(alphabet="aAb%_*?[^]-z0 9\\ä", max_size=5).map(literal)
COMPARED = (
    *(("integer", "integer"), ("text", "text"), ("real", "integer"), ("integer", "real"), ("real", "real")),
    *(("truth", "truth"), ("blob", "blob"), ("truth", "integer"), ("text", "blob"), ("integer", "text")),
)
MAKERS: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "integer": [
        *((f"({{}} {op} {{}})", ("integer", "integer")) for op in ("+", "-", "*", "/", "%", "&", "|")),
        *((f"{f}({{}}, {{}})", ("integer", "integer")) for f in ("min", "max", "coalesce", "ifnull", "nullif")),
        *(("(-{})", ("integer",)), ("(~{})", ("integer",)), ("abs({})", ("integer",)), ("length({})", ("blob",))),
        *(("instr({}, {})", ("text", "text")), ("CAST({} AS INTEGER)", ("real",)), ("CAST({} AS INTEGER)", ("text",))),
        *(("iif({}, {}, 0)", ("truth", "integer")), ("unixepoch({})", ("time",)), ("({} << 3)", ("integer",))),
        ("CASE WHEN {} THEN {} ELSE {} END", ("truth", "integer", "integer")),
        *(("CASE {} WHEN {} THEN 1 END", ("text", "text")), ("length({})", ("text",))),
    ],
    "real": [
        *((f"({{}} {op} {{}})", ("real", "real")) for op in ("+", "-", "*", "/")),
        *((f"({{}} {op} {{}})", ("integer", "real")) for op in ("+", "-", "*", "/")),
        *(("abs({})", ("real",)), ("round({})", ("real",)), ("CAST({} AS REAL)", ("integer",)), ("(-{})", ("real",))),
        *(("(julianday({}) - julianday({}))", ("time", "time")), ("coalesce({}, {})", ("real", "real"))),
        ("coalesce({}, 0)", ("real",)),
    ],
    "text": [
        *((f"{f}({{}})", ("text",)) for f in ("lower", "upper", "trim", "ltrim", "rtrim")),
        *((f"substr({{}}, {start}, {count})", ("text",)) for start in (-3, -1, 0, 1, 2) for count in (0, 1, 2)),
        *(("({} || {})", ("text", "text")), ("({} || {})", ("text", "integer")), ("hex({})", ("blob",))),
        *(("coalesce({}, {})", ("text", "text")), ("CAST({} AS TEXT)", ("integer",)), ("date({})", ("time",))),
        *(("strftime('%Y-%m-%d %H:%M', {})", ("time",)), ("strftime('%f %j %w', {})", ("time",))),
        *(("CASE WHEN {} THEN {} END", ("truth", "text")), ("typeof({})", ("integer",)), ("typeof({})", ("text",))),
        *(("min({}, {})", ("text", "text")), ("nullif({}, {})", ("text", "text"))),
        *(("replace({}, 'a', {})", ("text", "text")), ("substr({}, instr({}, 'a') + 1)", ("text", "text"))),
    ],
    "truth": [
        *((f"({{}} {op} {{}})", pair) for op in ("=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT") for pair in COMPARED),
        *(("({} AND {})", ("truth", "truth")), ("({} OR {})", ("truth", "truth")), ("(NOT {})", ("truth",))),
        *(("({} IS NULL)", ("text",)), ("({} IS TRUE)", ("truth",)), ("({} IS NOT FALSE)", ("integer",))),
        *(("({} BETWEEN {} AND {})", ("integer", "integer", "real")), ("({} IN (0, 1))", ("truth",))),
        *(("({} IN ({}, {}))", ("integer", "integer", "integer")), ("({} NOT IN ({}, {}))", ("text", "text", "text"))),
        *(("({} BETWEEN {} AND {})", ("text", "text", "text")), ("({} = {} COLLATE NOCASE)", ("text", "text"))),
        *(("({} < {})", ("time", "time")), ("({} LIKE {})", ("text", "text")), ("({} = {})", ("time", "time"))),
        ("({} IS NULL)", ("time",)),
    ],
    "time": [],
    "blob": [("substr({}, 2)", ("blob",)), ("coalesce({}, {})", ("blob", "blob")), ("substr({}, -2, 1)", ("blob",))],
}


@st.composite
def expressions(draw: st.DrawFn, kind: str = "truth", depth: int = 3) -> str:
    """Draw an expression of a kind."""
    makers = MAKERS[kind]
    if depth == 0 or not makers or draw(st.integers(0, 4)) == 0:
        return draw(_leaf(kind))
    if kind == "truth" and draw(st.integers(0, 9)) == 0:
        operator = draw(st.sampled_from(["LIKE", "GLOB", "NOT LIKE", "NOT GLOB"]))
        return f"({draw(expressions('text', depth - 1))} {operator} {draw(PATTERN)})"
    form, parts = draw(st.sampled_from(makers))
    return form.format(*(draw(expressions(part, depth - 1)) for part in parts))


OPERATORS = (
    *("+", "-", "*", "/", "%", "||", "&", "|", "<<", "<", "<=", ">", "=", "==", "<>", "IS", "IS NOT", "AND", "OR"),
    *("LIKE", "NOT LIKE", "IS DISTINCT FROM"),
)
POSTFIX = (
    *("", "", "", " IS NULL", " ISNULL", " NOTNULL", " NOT NULL", " IN (1, 2)", " NOT IN (1)", " BETWEEN 0 AND 1"),
    *(" COLLATE NOCASE", " IS TRUE"),
)


@st.composite
def flat(draw: st.DrawFn) -> str:
    """Draw operators and operands in a row, with no parentheses to tell their order."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        prefix = draw(st.sampled_from(["", "", "", "NOT ", "-", "~"]))
        operand = draw(st.sampled_from(["i", "k", "b", "a", "s", "1", "2", "0", "'a'", "NULL", "0.5"]))
        parts.append(prefix + operand + draw(st.sampled_from(POSTFIX)))
        parts.append(f" {draw(st.sampled_from(OPERATORS))} ")
    return "".join(parts[:-1])


def _check(lite: sqlite3.Connection, pg: ground.Pg, text: str) -> None:
    try:
        sql = translate.boolean(text, ground.COLUMNS, indexed=True)
    except translate.Untranslatable:
        return
    pairs = list(zip(ground.truths(lite, text), ground.answers(pg, sql), strict=True))
    assert all(ground.same(*p) for p in pairs), f"{text} -> {sql}: {[p for p in pairs if not ground.same(*p)]}"


def _check_value(lite: sqlite3.Connection, pg: ground.Pg, text: str) -> None:
    try:
        sql = translate.expression(text, ground.COLUMNS, indexed=True)
    except translate.Untranslatable:
        return
    pairs = list(zip(ground.values(lite, text), ground.answers(pg, sql), strict=True))
    assert all(ground.same(*p) for p in pairs), f"{text} -> {sql}: {[p for p in pairs if not ground.same(*p)]}"


@pytest.mark.parametrize("kind", ["integer", "real", "text", "truth", "blob"])
def test_compositions_agree(database: dict[str, str], kind: str) -> None:
    """Whatever is put together of the supported parts has the same value in both databases, or is refused."""
    with ground.target(database, []) as pg:

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(rows=st.lists(ROW, min_size=4, max_size=8), texts=st.lists(expressions(kind), min_size=4, max_size=8))
        def agree(rows: list[ground.Row], texts: list[str]) -> None:
            pg.execute("TRUNCATE g")
            ground.fill_target(pg, rows)
            lite = ground.source(rows)
            for text in texts:
                (_check if kind == "truth" else _check_value)(lite, pg, text)
            lite.close()

        agree()


def test_rows_of_operators_agree(database: dict[str, str]) -> None:
    """Where no parentheses tell the order of operators, SQLite's own precedence decides, or the text is refused."""
    with ground.target(database, ground.ROWS) as pg:
        lite = ground.source(ground.ROWS)

        @settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(text=flat())
        def agree(text: str) -> None:
            _check(lite, pg, text)

        agree()
        lite.close()
