"""The main job, on real files, compared by hand-written SQL."""

import json
import sqlite3
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import Program, files

from zenni_tui.sandbox.sample import SampleApplication


@pytest.mark.parametrize("source", [*files(), None])
def test_a_real_file_passes(program: Program, sample: SampleApplication, source: Path | None) -> None:
    """A rehearsal of each real file, and of the sample, passes with every row counted on both sides."""
    path = source or sample.database
    outcome = program.run("rehearse", "--source", str(path))
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        names = [n for (n,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for name in (n for n in names if not n.startswith("sqlite_")):
            (rows,) = database.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            table = outcome.table(name)
            if name == "_prisma_migrations":
                assert table["verdict"] == "not_migrated"
                kept = outcome.folder / "not_migrated._prisma_migrations.jsonl"
                assert len(kept.read_text().splitlines()) == rows
            else:
                assert (table["rows_source"], table["rows_target"], table["verdict"]) == (rows, rows, "identical")
    assert outcome.step("prepare")["state"] == "undone"
    assert outcome.document["target"]["embedded"] is True


def _instant(value: Any) -> datetime:
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clock UTC, as the column holds it
    if isinstance(value, int):
        return epoch + timedelta(milliseconds=value)
    return datetime.fromisoformat(value).replace(tzinfo=None)


def test_dates_are_right_to_the_millisecond(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """With --keep the target holds every instant of a column that mixes three formats, and every other value."""
    outcome = program.run("rehearse", "--source", str(sample.database), "--keep", environment=target_environment)
    assert outcome.code == 0, outcome.narration
    with sqlite3.connect(sample.database) as source, psycopg.connect(**database) as target:
        forms = {k for (k,) in source.execute('SELECT DISTINCT typeof("createdAt") FROM "Booking"')}
        assert forms == {"integer", "text"}
        columns = '"id", "serviceId", "customerName", "customerPhone", "notes", "status", "cancellationId"'
        dates = '"date", "startTime", "endTime", "createdAt", "updatedAt"'
        wanted = {
            row[0]: (*row[:7], *map(_instant, row[7:]))
            for row in source.execute(f'SELECT {columns}, {dates} FROM "Booking"')
        }
        found = {row[0]: row for row in target.execute(f'SELECT {columns}, {dates} FROM "Booking"')}
        assert found == wanted
        services = 'SELECT "id", "name", "price", "active", "order" FROM "Service" ORDER BY "id"'
        assert [(*r[:3], bool(r[3]), r[4]) for r in source.execute(services)] == target.execute(services).fetchall()


def test_rules_are_prismas_own(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """The kept target has Prisma's types, NOT NULLs, defaults, key names and the next number of a counter."""
    program.run("rehearse", "--source", str(sample.database), "--keep", environment=target_environment)
    with psycopg.connect(**database, autocommit=True) as target:
        rows = target.execute(
            "SELECT column_name, data_type, datetime_precision, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_name = 'Booking'"
        )
        columns = {name: rest for name, *rest in rows}
        assert columns["createdAt"] == ["timestamp without time zone", 3, "NO", "CURRENT_TIMESTAMP"]
        assert columns["notes"] == ["text", None, "YES", None]
        assert columns["status"][3] == "'pending'::text"
        constraints = dict(
            target.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'f')"
            ).fetchall()
        )
        assert constraints["Booking_pkey"] == "PRIMARY KEY (id)"
        assert constraints["Booking_serviceId_fkey"] == (
            'FOREIGN KEY ("serviceId") REFERENCES "Service"(id) ON UPDATE CASCADE ON DELETE RESTRICT'
        )
        (unique,) = target.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'Booking_cancellationId_key'")
        assert "UNIQUE" in unique[0]
        (top,) = target.execute('SELECT max("id") FROM "Tag"').fetchone() or (0,)
        (made,) = target.execute('INSERT INTO "Tag" ("label") VALUES (\'uusi\') RETURNING "id"').fetchone() or (0,)
        assert made == top + 1


def test_without_keep_the_target_is_as_before(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Without --keep nothing of a run stays in the target, and what was there before stays."""
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute("CREATE TABLE mine (id int PRIMARY KEY, at timestamptz DEFAULT now())")
        target.execute("INSERT INTO mine VALUES (1)")
    outcome = program.run("rehearse", "--source", str(sample.database), environment=target_environment)
    assert outcome.code == 0, outcome.narration
    with psycopg.connect(**database) as target:
        assert target.execute("SELECT count(*) FROM mine").fetchone() == (1,)
        left = target.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
        ).fetchall()
        assert sorted(left) == [("mine",), ("mine_pkey",)]
        assert target.execute("SELECT to_regnamespace('zenni_tui')").fetchone() == (None,)


def test_a_kept_rehearsal_can_be_rolled_back_later(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """`verify` compares a kept run again, `--repair` loads what differs, `rollback` removes it all and proves so."""
    program.run("rehearse", "--source", str(sample.database), "--keep", environment=target_environment)
    assert program.run("verify", environment=target_environment).document["verdict"] == "passed"
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute('UPDATE "Booking" SET notes = \'changed\' WHERE id = (SELECT min(id) FROM "Booking")')
    again = program.run("verify", environment=target_environment)
    assert (again.code, again.document["verdict"]) == (1, "failed")
    (line,) = (again.folder / "differences.jsonl").read_text().splitlines()
    difference = json.loads(line)
    assert (difference["table"], difference["column"], difference["target_value"]) == ("Booking", "notes", "changed")
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute('DELETE FROM "_ServiceToTag"')
        target.execute('UPDATE "Service" SET price = price + 1')
        target.execute("INSERT INTO \"Tag\" (label) VALUES ('extra')")
    program.run("verify", environment=target_environment)
    repaired = program.run("verify", "--repair", environment=target_environment)
    assert (repaired.code, repaired.document["verdict"]) == (0, "passed"), repaired.narration
    back = program.run("rollback", environment=target_environment)
    assert (back.code, back.document["verdict"]) == (5, "rolled_back"), back.narration
    with psycopg.connect(**database) as target:
        assert target.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_migrate_waits_for_its_operator(
    program: Program, sample: SampleApplication, target_environment: dict[str, str]
) -> None:
    """A migration wants --yes without a terminal, ends waiting with the data in the target, and can be taken back."""
    refused = program.run("migrate", "--source", str(sample.database), environment=target_environment)
    assert refused.code == 2
    outcome = program.run("migrate", "--source", str(sample.database), "--yes", environment=target_environment)
    assert (outcome.code, outcome.document["verdict"]) == (0, "waiting"), outcome.narration
    assert program.run("rollback", environment=target_environment).code == 5


def test_drift_is_an_error_by_name(program: Program, make_sample: Callable[..., SampleApplication]) -> None:
    """A column that schema.prisma declares and the file lacks is named, with what can be done; nothing is written."""
    application = make_sample(bookings=50, trouble=("drift",))
    outcome = program.run("rehearse", "--source", str(application.database))
    assert (outcome.code, outcome.document["verdict"]) == (3, "not_ready")
    finding = outcome.finding("drift_column_missing")
    assert (finding["severity"], finding["table"], finding["column"]) == ("error", "Service", "order")
    assert "ALTER TABLE" in finding["advice"]
    assert outcome.step("prepare")["state"] == "pending"


def test_all_trouble_is_named_in_one_go(program: Program, make_sample: Callable[..., SampleApplication]) -> None:
    """Several troubles are all found in one run, each with its rows' keys."""
    application = make_sample(bookings=200, trouble=("orphans", "nul", "badutf8", "text-in-int"))
    outcome = program.run("rehearse", "--source", str(application.database))
    assert outcome.code == 3
    for code, table, count in (
        ("foreign_key_orphans", "Booking", 2),
        ("text_nul", "Booking", 2),
        ("text_not_utf8", "Booking", 1),
        ("not_an_integer", "Service", 1),
    ):
        finding = outcome.finding(code)
        assert (finding["severity"], finding["table"], finding["count"]) == ("error", table, count)
        assert len(finding["keys"]) == count
        with sqlite3.connect(application.database) as source:
            source.text_factory = bytes
            for key in finding["keys"]:
                assert source.execute(f'SELECT count(*) FROM "{table}" WHERE id = ?', (key,)).fetchone() == (1,)


def test_the_source_keeps_every_byte(program: Program, make_sample: Callable[..., SampleApplication]) -> None:
    """A rehearsal changes nothing of the source's folder, and its own files are their owner's alone."""
    application = make_sample(bookings=50)
    before = {p: p.read_bytes() for p in application.folder.rglob("*") if p.is_file()}
    outcome = program.run("rehearse", "--source", str(application.database))
    assert outcome.code == 0
    assert {p: p.read_bytes() for p in application.folder.rglob("*") if p.is_file()} == before
    assert stat.S_IMODE(outcome.folder.stat().st_mode) == 0o700
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in outcome.folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes
