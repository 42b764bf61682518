"""The operator's decisions: repairs from the config, at the gate, by default; assertions of the customer's own."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from support import Program, follow, wait

from zenni_tui.engine import client
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind, StepId, Verdict
from zenni_tui.sandbox.sample import SampleApplication

_REPAIRS = {
    "text_nul/Booking/notes": "strip_nul",
    "text_not_utf8/Booking/customerName": "utf8_latin1",
    "foreign_key_orphans/Booking/serviceId": "quarantine",
    "not_an_integer/Service/duration": "to_value:60",
}


@pytest.fixture(scope="session")
def troubled(make_sample: Callable[..., SampleApplication]) -> SampleApplication:
    """Return a sample with four kinds of trouble in it."""
    return make_sample(bookings=300, trouble=("orphans", "nul", "badutf8", "text-in-int"))


def _config(program: Program, *sections: str) -> None:
    (program.home / "config.toml").write_text("\n".join(sections))


def _repairs() -> str:
    return "[schema.repairs]\n" + "\n".join(f'"{k}" = "{v}"' for k, v in _REPAIRS.items())


def test_repairs_of_a_config_are_used_and_counted(
    program: Program, troubled: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """With the repairs chosen the run passes, and the report counts the rows that they changed and kept out."""
    _config(program, _repairs())
    outcome = program.run("rehearse", "--source", str(troubled.database), "--keep", environment=target_environment)
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration
    assert {f["code"]: f["chosen"] for f in outcome.document["findings"] if f["severity"] == "error"} == {
        i.partition("/")[0]: r for i, r in _REPAIRS.items()
    }
    totals = outcome.document["totals"]
    assert (totals["rows_repaired"], totals["rows_quarantined"]) == (4, 2)
    booking = outcome.table("Booking")
    assert (booking["rows_source"], booking["rows_target"]) == (300, 298)
    with psycopg.connect(**database) as target, sqlite3.connect(troubled.database) as source:
        source.text_factory = bytes
        for key in outcome.finding("text_nul")["keys"]:
            stored = source.execute('SELECT notes FROM "Booking" WHERE id = ?', (key,)).fetchone()[0]
            kept = target.execute('SELECT notes FROM "Booking" WHERE id = %s', (key,)).fetchone()
            assert kept == (stored.replace(b"\0", b"").decode(),)
        aside = target.execute("SELECT stored ->> 'id' FROM zenni_tui.quarantine ORDER BY 1").fetchall()
        assert [k for (k,) in aside] == sorted(outcome.finding("foreign_key_orphans")["keys"])


def test_a_choice_that_fits_nothing_is_told(program: Program, sample: SampleApplication) -> None:
    """A repair, a cast or an exclusion in the config that fits nothing in the file is a warning by name."""
    _config(program, '[source]\nexclude = ["Bookings"]', '[schema.repairs]\n"text_nul/Booking/notes" = "strip_nul"')
    outcome = program.run("audit", "--source", str(sample.database))
    unused = [f for f in outcome.document["findings"] if f["code"] == "choice_unused"]
    assert {f["table"] for f in unused} == {"Bookings", "text_nul/Booking/notes"}
    assert any("Did you mean" in f["advice"] for f in unused)


def test_a_value_that_does_not_suit_is_told_where_it_was_chosen(program: Program) -> None:
    """The finding blocks on, and says that the choice made for it was not taken."""
    path = program.home / "app.db"
    with sqlite3.connect(path) as source:
        source.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 'a few');")
    for value, code in (("many", 3), ("5", 0)):
        _config(program, "[schema.repairs]", f'"not_an_integer/t/n" = "to_value:{value}"')
        outcome = program.run("audit", "--source", str(path))
        assert outcome.code == code, outcome.narration
        message = outcome.finding("not_an_integer")["message"]
        assert ('The choice "to_value:many" was not taken' in message) == (code == 3)


def test_only_lossless_repairs_are_taken_by_default(program: Program) -> None:
    """--accept-repairs takes a widening, which changes no value, and leaves what changes data to the operator."""
    path = program.home / "app.db"
    with sqlite3.connect(path) as source:
        source.executescript(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, s TEXT);"
            "INSERT INTO t VALUES (1, 'sixty', 'plain'), (2, 5, CAST(x'61ff' AS TEXT));"
        )
    outcome = program.run("rehearse", "--source", str(path), "--accept-repairs")
    assert outcome.code == 3
    assert outcome.finding("not_an_integer")["chosen"] == "type:text"
    assert outcome.finding("text_not_utf8")["chosen"] is None


def test_the_gate_asks_until_nothing_blocks(
    program: Program, troubled: SampleApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gated run waits at the plan, refuses what is not on offer, takes choices, and asks once more before writing."""
    monkeypatch.setenv("XDG_STATE_HOME", program.environment["XDG_STATE_HOME"])
    request = Request(
        "20260101T000000Z-rehearse-gate", RunKind.REHEARSE, str(troubled.database), gated=True,
        prisma_schema=str(troubled.schema),
    )  # fmt: skip
    client.launch(client.create(request))
    run = follow(program)
    wait(run, lambda r: r.state.waiting is not None)
    assert run.state.waiting is not None
    assert run.state.waiting.step is StepId.PLAN
    assert not run.send("choose", finding="text_nul/Booking/notes", repair="type:nonsense").ok
    assert not run.send("choose", finding="text_nul/Booking/nothing", repair="strip_nul").ok
    for finding, repair in _REPAIRS.items():
        assert run.send("choose", finding=finding, repair=repair).ok
    assert run.send("go").ok
    wait(run, lambda r: r.state.waiting is not None and r.state.waiting.step is StepId.PREPARE)
    assert run.send("go").ok
    wait(run, lambda r: r.state.ended)
    assert (run.state.verdict, run.state.problem) == (Verdict.PASSED, None)


def test_a_type_chosen_at_the_gate_is_used(
    program: Program, database: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the gate a column's type can be changed and changed back; the plan, its SQL and the target follow."""
    monkeypatch.setenv("XDG_STATE_HOME", program.environment["XDG_STATE_HOME"])
    path = program.home / "app.db"
    with sqlite3.connect(path) as source:
        source.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INTEGER);")
        source.execute("INSERT INTO t VALUES (1, '0b8e5b7e-8b0f-4c86-9c3c-0d8a3f7e1a11', 7)")
    target = {k: v for k, v in database.items() if k != "password"}
    request = Request("20260101T000000Z-rehearse-cast", RunKind.REHEARSE, str(path), target, keep=True, gated=True)
    client.launch(client.create(request), password=database.get("password"))
    run = follow(program)
    wait(run, lambda r: r.state.waiting is not None)
    assert "uuid" in client.types_of(run.folder).of("t", "a")
    assert "smallint" in client.types_of(run.folder).of("t", "n")
    assert not run.send("choose", finding="cast_chosen/t/a", repair="type:nonsense").ok
    assert not run.send("choose", finding="cast_chosen/t/b", repair="type:uuid").ok
    assert run.send("choose", finding="cast_chosen/t/a", repair="type:uuid").ok
    assert run.send("choose", finding="cast_chosen/t/n", repair="type:uuid").ok
    assert run.send("choose", finding="cast_chosen/t/n").ok
    assert run.send("go").ok
    wait(run, lambda r: '"a" UUID' in client.ddl_of(r.folder) and r.state.waiting is not None)
    assert {f.id: f.chosen for f in run.state.findings if f.chosen} == {"cast_chosen/t/a": "type:uuid"}
    assert run.send("go").ok
    wait(run, lambda r: r.state.ended)
    assert (run.state.verdict, run.state.problem) == (Verdict.PASSED, None)
    with psycopg.connect(**database) as connection:  # type: ignore[arg-type]
        assert connection.execute("SELECT pg_typeof(a)::text, pg_typeof(n)::text FROM t").fetchone() == (
            "uuid",
            "bigint",
        )


def test_assertions_are_asked_on_both_sides(program: Program, sample: SampleApplication) -> None:
    """A customer's query that finds rows blocks by name with them; one that finds none is asked in the target too."""
    good = '"everybody has a name" = \'SELECT id FROM "Booking" WHERE length("customerName") = 0\''
    bad = '"no services" = \'SELECT id FROM "Service"\''
    _config(program, "[verify.assertions]", good, bad)
    refused = program.run("rehearse", "--source", str(sample.database))
    assert refused.code == 3
    assert (refused.finding("assertion_broken")["table"], refused.finding("assertion_broken")["count"]) == (
        "no services",
        8,
    )
    _config(program, "[verify.assertions]", good, "[schema.repairs]", '"x" = "y"')
    passed = program.run("rehearse", "--source", str(sample.database))
    assert passed.code == 0, passed.narration
    assert "assertions: 1 find the same on both sides" in passed.narration


def test_a_finding_shows_what_stands_in_its_rows(program: Program, troubled: SampleApplication) -> None:
    """The value beside each key, made printable, is in the run's folder; the document for others has keys alone."""
    with sqlite3.connect(troubled.database) as source:
        source.execute('UPDATE "Booking" SET "notes" = \'a\' || char(0) || ? WHERE rowid = 15', ("é" * 40,))
    outcome = program.run("audit", "--source", str(troubled.database))
    found = [json.loads(line) for line in (outcome.folder / "findings.jsonl").read_text().splitlines()]
    (nul,) = [f for f in found if f["code"] == "text_nul" and f["column"] == "notes"]
    assert len(nul["values"]) == len(nul["keys"]) == 2
    assert nul["values"] == [f"'a\\x00{'é' * 23}' ...", "'ennen\\x00jälkeen'"]
    (orphan,) = [f for f in found if f["code"] == "foreign_key_orphans"]
    assert orphan["values"] == ["'c00000000000000000000gone'"] * 2
    assert not any("values" in f for f in outcome.document["findings"])


def test_the_mending_script_mends(program: Program, troubled: SampleApplication, tmp_path: Path) -> None:
    """What the audit proposes for the source can be run by SQLite, and the finding is gone afterwards."""
    outcome = program.run("audit", "--source", str(troubled.database))
    copy = tmp_path / "copy.db"
    copy.write_bytes(troubled.database.read_bytes())
    with sqlite3.connect(copy) as source:
        source.executescript((outcome.folder / "mend.sql").read_text())
    again = program.run("audit", "--source", str(copy))
    codes = {f["code"] for f in again.document["findings"]}
    assert "text_nul" not in codes
    assert "text_not_utf8" in codes
    found = [json.loads(line) for line in (outcome.folder / "findings.jsonl").read_text().splitlines()]
    # What is only offered for the new database, or found in the application's code, concerns no single row.
    assert all(f["keys"] for f in found if not f["code"].startswith(("review_", "query_", "prisma_")))
