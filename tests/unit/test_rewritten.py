"""SQL in the code put into PostgreSQL's form: the string stays of the kind it was, and means just the proposal."""

import pytest

from zenni_tui.application import queries, scripts
from zenni_tui.application.rewritten import rewritten
from zenni_tui.model.queries import Judged, Query, QueryState

OLD = 'SELECT "a" FROM "T" WHERE "b" = 1'
NEW = """SELECT "a", '\\x', `${no}` FROM "T" WHERE "b" = 'it''s'"""


def _judged(name: str, text: str, proposal: str, state: QueryState = QueryState.TRANSLATED) -> tuple[Judged, ...]:
    return tuple(Judged(q, state, (), proposal) for q in queries.in_file(name, text))


def _only(name: str, text: str) -> Query:
    (found,) = queries.in_file(name, text)
    return found


STRINGS = {
    "template": f"await db.$queryRaw`{OLD}`;\n",
    "template of several lines": f"await db.$queryRaw<Row[]>`\n    {OLD}\n  `;\n",
    "single quotes": f"await db.$queryRawUnsafe('{OLD}');\n",
    "double quotes": "await db.$queryRawUnsafe(\"SELECT 'ä' AS a FROM T WHERE b = 1\");\n",
    "joined": "await db.$queryRawUnsafe('SELECT \"a\" ' + 'FROM \"T\"');\n",
}


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS.keys())
def test_the_string_means_the_proposal(text: str) -> None:
    """Read again as JavaScript reads it, the string is the proposal, whatever had to be escaped; the rest stays."""
    judged = _judged("a.ts", f"// ä\n{text}", NEW)
    made = rewritten("a.ts", f"// ä\n{text}", judged)
    assert made.done == judged
    found = [scripts.literal(n) for n in scripts.walk(scripts.parse("a.ts", made.text)) if n.type in _KINDS]
    assert [f[0].strip() for f in found if f is not None] == [NEW]
    (head, tail), (old_head, old_tail) = (t.split("$queryRaw", 1) for t in (made.text, f"// ä\n{text}"))
    assert (head, tail.count("\n")) == (old_head, old_tail.count("\n"))


_KINDS = ("string", "template_string")


def test_holes_stay_the_code_they_were() -> None:
    """What the code puts into a template is put into the proposal, at its place there."""
    text = "db.$queryRaw`SELECT IFNULL(a, ${x.y(1)}) FROM t WHERE b = ${z}`"
    judged = _judged("a.ts", text, "SELECT coalesce(a, ${x.y(1)}) FROM t WHERE b = ${z}")
    made = rewritten("a.ts", text, judged)
    assert made.text == "db.$queryRaw`SELECT coalesce(a, ${x.y(1)}) FROM t WHERE b = ${z}`"
    assert _only("a.ts", made.text).parameters == ("${x.y(1)}", "${z}")


UNTOUCHED = {
    "SQLite's own driver": ("a.js", f"db.prepare('{OLD}')"),
    "put together at run time": ("a.ts", "db.$queryRawUnsafe(`SELECT a FROM t WHERE ${where}`)"),
    "python": ("a.py", f"db.execute('{OLD}')"),
    "two statements": ("a.ts", "db.$executeRawUnsafe('DELETE FROM a; DELETE FROM b')"),
}


@pytest.mark.parametrize(("name", "text"), UNTOUCHED.values(), ids=UNTOUCHED.keys())
def test_what_prisma_does_not_run_as_it_stands_is_left_alone(name: str, text: str) -> None:
    """Another driver needs other code, and a text of parts has no single form."""
    assert rewritten(name, text, _judged(name, text, NEW)) == (text, ())


def test_what_needs_a_person_or_has_changed_is_left_alone() -> None:
    """No proposal, or a text that is no longer the one that was judged: nothing is written."""
    text = f"db.$queryRaw`{OLD}`"
    assert rewritten("a.ts", text, _judged("a.ts", text, NEW, QueryState.PERSON)).done == ()
    other = text.replace("= 1", "= 2")
    assert rewritten("a.ts", other, _judged("a.ts", text, NEW)) == (other, ())
    assert rewritten("b.ts", text, _judged("a.ts", text, NEW)) == (text, ())


def test_a_script_of_sql_is_changed_statement_by_statement() -> None:
    """In a .sql file a statement that stands there once is replaced, comments and others stay."""
    text = "-- first\nSELECT IFNULL(a, 1) FROM t;\nSELECT 2 FROM t;\n"
    judged = tuple(
        Judged(q, QueryState.TRANSLATED, (), "SELECT coalesce(a, 1) FROM t")
        for q in queries.in_file("seed.sql", text)
        if "IFNULL" in q.sql
    )
    assert rewritten("seed.sql", text, judged).text == text.replace("IFNULL", "coalesce")
