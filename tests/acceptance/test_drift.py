"""`verify --against live`: what became of the migrated rows days after the switch, and whether all rules stand."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import Outcome, Program

from zenni_tui.sandbox.sample import SampleApplication


@pytest.fixture
def source(tmp_path: Path) -> str:
    """Return the path of a small database: a table with a key, one that refers to it, one without a key."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(
            "CREATE TABLE owner (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);"
            "CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owner, weight REAL);"
            "CREATE TABLE visit (day TEXT, pet INTEGER);"
            "CREATE INDEX pet_owner ON pet (owner);"
        )
        made.executemany("INSERT INTO owner VALUES (?, ?)", [(i, f"owner {i}") for i in range(1, 21)])
        made.executemany("INSERT INTO pet VALUES (?, ?, ?)", [(i, i % 20 + 1, i / 7) for i in range(100)])
        made.executemany("INSERT INTO visit VALUES (?, ?)", [(f"2026-11-{i:02}", i) for i in range(1, 21)])
        made.commit()
    return str(path)


def drifted(program: Program, environment: dict[str, str]) -> tuple[Outcome, dict[str, Any]]:
    """Look, and return the outcome and the tables by name."""
    outcome = program.run("verify", "--against", "live", environment=environment)
    return outcome, {t["name"]: t for t in outcome.document["tables"]}


def test_what_became_of_the_rows(
    program: Program, source: str, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Rows that changed, went and came are counted by table, changed values by column; rules that fell fail it."""
    assert program.run("migrate", "--source", source, "--yes", environment=target_environment).code == 0
    outcome, tables = drifted(program, target_environment)
    assert outcome.code == 0, outcome.document
    assert {n: (t["rows_then"], t["rows_now"], t["unchanged"]) for n, t in tables.items()} == {
        "owner": (20, 20, 20),
        "pet": (100, 100, 100),
        "visit": (20, 20, 20),
    }
    with psycopg.connect(**database, autocommit=True) as application:
        application.execute("UPDATE pet SET weight = weight + 1 WHERE id < 10")
        application.execute("UPDATE pet SET owner = 1 WHERE id = 5 AND owner <> 1")
        application.execute("DELETE FROM pet WHERE id >= 97")
        application.execute("INSERT INTO pet (owner, weight) VALUES (1, 2.5), (2, 2.5)")
        application.execute("INSERT INTO owner (name) VALUES ('new'), ('gone')")
        application.execute("DELETE FROM owner WHERE name = 'gone'")
        application.execute("UPDATE visit SET pet = 0 WHERE pet = 3")
        outcome, tables = drifted(program, target_environment)
        assert outcome.code == 0, outcome.document
        numbers = ("rows_then", "rows_now", "unchanged", "changed", "gone", "new")
        assert {n: tuple(t[k] for k in numbers) for n, t in tables.items()} == {
            "owner": (20, 21, 20, 0, 0, 1),
            "pet": (100, 99, 87, 10, 3, 2),
            "visit": (20, 20, 19, 0, 1, 1),
        }
        assert tables["pet"]["columns"] == {"weight": 10, "owner": 1}
        assert tables["visit"]["keyless"]
        application.execute("INSERT INTO pet VALUES (1000, 1, 2.5)")
        application.execute("ALTER TABLE pet DROP CONSTRAINT pet_owner_fkey")
        application.execute("TRUNCATE visit")
        application.execute("DROP TABLE owner CASCADE")
    outcome, tables = drifted(program, target_environment)
    assert outcome.code == 1
    assert outcome.document["absent"] == ["owner"]
    assert any("pet" in text and "oreign key" in text for text in outcome.document["structure"])
    assert any("next value 1001; found: next value 102" in text for text in outcome.document["structure"])
    shown = program.start("verify", "--against", "live", "--headless", environment=target_environment)
    out, err = shown.communicate(timeout=60)
    assert 'LOST: table "owner" is not there' in out, err
    assert 'changed in "pet": weight 10, owner 1' in out


def test_the_demo_has_not_drifted(
    program: Program, sample: SampleApplication, target_environment: dict[str, str]
) -> None:
    """Dates, booleans and relations of a Prisma application read the same days later, with and without keys."""
    arguments = ("migrate", "--source", str(sample.database), "--yes")
    assert program.run(*arguments, environment=target_environment).code == 0
    outcome, tables = drifted(program, target_environment)
    assert outcome.code == 0, outcome.document["structure"]
    assert tables["Booking"]["rows_then"] == 300
    assert all(t["unchanged"] == t["rows_then"] == t["rows_now"] for t in tables.values())


def test_a_rehearsals_own_target_is_gone(program: Program, source: str) -> None:
    """A run into an embedded PostgreSQL can't be looked at later: said so, exit 3."""
    assert program.run("rehearse", "--source", source).code == 0
    outcome = program.run("verify", "--against", "live")
    assert outcome.code == 3
    assert "embedded PostgreSQL, which ended with it" in outcome.narration
