"""Queries carried over and tried: what stands, what is rewritten and proven, what a person must see to."""

import re
from collections.abc import Iterator
from pathlib import Path

import port_ground
import pytest
from psycopg.conninfo import make_conninfo

from zenni_tui.convert import port
from zenni_tui.model.plan import Plan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.queries import Judged, ProofState, Query, QueryState
from zenni_tui.model.record import from_json
from zenni_tui.model.schema import SourceSchema
from zenni_tui.sandbox import server as sandbox
from zenni_tui.source.database import open_frozen
from zenni_tui.steps.queries import judge, proven_one
from zenni_tui.steps.query_trial import Bench
from zenni_tui.target.connect import Target


class Ground:
    """Both databases with the plan between them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def judged(self, sql: str, *parameters: str, call: str = "$queryRaw") -> Judged:
        """Judge a query as if found in code, and try it."""
        one = judge(Query("a.ts", 1, call, sql, parameters), self.bench.tables)
        assert one is not None
        return proven_one(self.bench, one, self.bench.tables)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, server: sandbox.Server) -> Iterator[Ground]:
    """Yield the ground, carried to PostgreSQL by a rehearsal that is kept."""
    from support import Program  # noqa: PLC0415 - beside the acceptance tests

    home = tmp_path_factory.mktemp("ground")
    port_ground.make(home / "source.db")
    server.create_database("queries_proven")
    conninfo = server.conninfo("queries_proven")
    environment = {"ZENNI_TARGET_URL": make_conninfo("", **conninfo)}
    outcome = Program(home).run("rehearse", "--keep", "--source", str(home / "source.db"), environment=environment)
    assert outcome.document["verdict"] == "passed", outcome.narration
    plan = from_json((outcome.folder / "plan.json").read_bytes(), Plan)
    schema = from_json((outcome.folder / "schema.json").read_bytes(), SourceSchema)
    profiles = from_json((outcome.folder / "profiles.json").read_bytes(), Profiles)
    password = conninfo.pop("password", None)
    snapshot = open_frozen(home / "source.db")
    with Target(conninfo, password, name="test").connect() as connection:
        yield Ground(Bench(snapshot, connection, plan.schema, port.catalogue(schema, plan, profiles)))
    snapshot.close()
    server.drop_database("queries_proven")


CASES = Path(__file__).with_name("port_corpus.txt").read_text().strip().split("\n\n")


@pytest.mark.parametrize("case", CASES)
def test_queries_are_judged_and_proven(ground: Ground, case: str) -> None:
    """Each query has its state, its proof, its marks and the form to write; what is proven was found equal here."""
    lines = case.split("\n")
    state, proof, marks = lines[0].split("; ")
    count = len(set(re.findall(r":p\d+", lines[1])))
    one = ground.judged(lines[1], *[f"${{x{n}}}" for n in range(1, count + 1)])
    assert (str(one.state), str(one.proof.state)) == (state, proof), one
    assert ", ".join(sorted({m.name for m in one.marks})) == marks
    assert one.proposal == (lines[2].removeprefix("=> ") if lines[2:] else "")


def test_nothing_is_written(ground: Ground) -> None:
    """Queries that write, and texts that would end the transaction, leave both databases as they were."""
    before = ground.judged('SELECT count(*) AS n FROM "Item"').proof.rows
    for text in ('DELETE FROM "Item"', 'UPDATE "Item" SET "qty" = 0', "COMMIT", "ROLLBACK", 'DROP TABLE "Item"'):
        assert ground.judged(text).proof.state in (ProofState.EXPLAINED, ProofState.NONE)
    one = ground.judged('SELECT "id" FROM "Item" WHERE "qty" > 0 ORDER BY "id"')
    assert (before, one.proof.rows) == (1, 9)


def test_an_empty_result_proves_nothing(ground: Ground) -> None:
    """A query that finds nothing on either side, or a count of nothing, is said to be empty."""
    for text in ('SELECT "id" FROM "Item" WHERE "qty" > 99', 'SELECT count(*) AS "n" FROM "Item" WHERE "qty" > 99'):
        one = ground.judged(text)
        assert (one.state, one.proof.state) == (QueryState.PORTABLE, ProofState.EMPTY)
        assert "not proven" in one.words


def test_dates_in_several_forms_are_told_apart_from_a_wrong_translation(ground: Ground) -> None:
    """Where SQLite itself answers wrongly for mixed dates, the query is equal on dates of one form, and says so."""
    one = ground.judged('SELECT "mixed" FROM "Item" ORDER BY "mixed"')
    assert one.proof.state is ProofState.EQUAL
    assert 'Equal once all dates of "Item"."mixed" have one form' in one.proof.why


def test_a_difference_names_a_row_of_each_side(ground: Ground) -> None:
    """What differs is shown with the values of SQLite and PostgreSQL."""
    one = ground.judged("""SELECT count(*) AS n FROM "Item" WHERE "createdAt" > '2025-02-01'""")
    assert one.why == "1 rows only in SQLite, such as (0); 1 rows only in PostgreSQL, such as (9)."


def test_a_difference_only_in_order_is_found(ground: Ground) -> None:
    """The same rows in another order differ where the result's own columns decide it."""
    one = ground.judged('SELECT "note", count(*) AS n FROM "Item" GROUP BY "note" ORDER BY "note"')
    assert one.state is QueryState.TRANSLATED
    assert one.marks[0].why == "The same rows in another order."
    assert one.proposal.endswith('ORDER BY "note" NULLS FIRST')


def test_texts_that_only_look_like_sql_are_passed_over(ground: Ground) -> None:
    """A string that nobody runs, and that names no table of the plan, is no query."""
    tables = ground.bench.tables
    for text in ("SELECT one FROM the_list", "update your profile and set a password", "DELETE FROM nowhere"):
        assert judge(Query("a.ts", 1, "", text), tables) is None
    assert judge(Query("a.ts", 1, "", 'DELETE FROM "Item"'), tables) is not None
    assert judge(Query("a.ts", 1, "prepare", "SELECT one FROM the_list"), tables) is None
    assert judge(Query("a.ts", 1, "$queryRaw", "SELECT one FROM the_list"), tables) is not None


def test_what_is_put_together_at_run_time_is_not_tried(ground: Ground) -> None:
    """Such a text is judged as far as it can be read, and never run."""
    query = Query("a.ts", 1, "prepare", "SELECT ifnull(:p1, 0) AS x FROM Item", ("${column}",), assembled=True)
    one = judge(query, ground.bench.tables)
    assert one is not None
    tried = proven_one(ground.bench, one, ground.bench.tables)
    assert (tried.state, tried.proof.state) == (QueryState.TRANSLATED, ProofState.NONE)
    assert tried.why == "It is put together at run time."
    assert "coalesce(${column}, 0)" in tried.proposal


def test_fragments_are_looked_through_for_sqlites_functions(ground: Ground) -> None:
    """A part of a statement is read by its words alone."""
    fine = judge(Query("a.ts", 1, "sql", 'AND "qty" = :p1', ("${x}",), fragment=True), ground.bench.tables)
    other = judge(Query("a.ts", 1, "sql", "AND strftime('%Y', \"changed\") = :p1", ("${x}",), fragment=True), {})
    assert fine is not None
    assert other is not None
    assert (fine.state, other.state) == (QueryState.PORTABLE, QueryState.PERSON)


def test_forms_carry_the_schema_when_asked(ground: Ground) -> None:
    """What others run, without our search path, names its schema."""
    made = port.port("SELECT i.id FROM Item i WHERE i.active = 1", (), ground.bench.tables, "public")
    assert made.sql == 'SELECT i.id FROM "public"."Item" AS i WHERE i.active = TRUE'
