"""One row in many that is not as it should be is named by its key, with counts that were counted."""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from support import Program

from zenni_tui.sandbox import server as sandbox

ROWS = 200_000


class Kept(NamedTuple):
    """A rehearsal that was kept, and the database that it filled."""

    program: Program
    environment: dict[str, str]


@pytest.fixture(scope="module")
def kept(server: sandbox.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Yield a kept rehearsal of one table of many rows."""
    program = Program(tmp_path_factory.mktemp("differences"))
    path, name = program.home / "many.db", f"test_{secrets.token_hex(6)}"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE many (code TEXT NOT NULL PRIMARY KEY, at DATETIME, price REAL, note TEXT)")
        rows = ((f"k{i:06}", 1_700_000_000_000 + i, i / 4, f"note {i}") for i in range(ROWS))
        database.executemany("INSERT INTO many VALUES (?, ?, ?, ?)", rows)
        database.commit()
    server.create_database(name)
    environment = {"ZENNI_TARGET_URL": make_conninfo("", **server.conninfo(name))}
    outcome = program.run("rehearse", "--source", str(path), "--keep", environment=environment)
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration[-2000:]
    yield Kept(program, environment)
    server.drop_database(name)


def carry_out(kept: Kept, commands: str) -> None:
    """Change the target by hand."""
    with psycopg.connect(kept.environment["ZENNI_TARGET_URL"], autocommit=True) as target:
        target.execute(commands.encode())


@contextmanager
def without_key(kept: Kept) -> Iterator[None]:
    """Let the target take a key twice."""
    carry_out(kept, "ALTER TABLE many DROP CONSTRAINT many_pkey; CREATE INDEX many_code ON many (code)")
    yield
    carry_out(kept, "DROP INDEX many_code; ALTER TABLE many ADD PRIMARY KEY (code)")


Named = set[tuple[str, str, str | None]]
CHANGES: dict[str, tuple[str, str, int, Named]] = {
    "broken": (
        "UPDATE many SET note = 'note 123456 ' WHERE code = 'k123456'",
        "UPDATE many SET note = 'note 123456' WHERE code = 'k123456'",
        ROWS,
        {("differs", "k123456", "note")},
    ),
    "dropped": (
        "DELETE FROM many WHERE code = 'k000007'",
        "INSERT INTO many VALUES ('k000007', '2023-11-14 22:13:20.007', 1.75, 'note 7')",
        ROWS - 1,
        {("missing", "k000007", None)},
    ),
    "added": (
        "INSERT INTO many VALUES ('k2', NULL, NULL, NULL)",
        "DELETE FROM many WHERE code = 'k2'",
        ROWS + 1,
        {("extra", "k2", None)},
    ),
    "doubled": (
        "INSERT INTO many SELECT * FROM many WHERE code = 'k199999'",
        "DELETE FROM many WHERE code = 'k199999' AND ctid > (SELECT min(ctid) FROM many WHERE code = 'k199999')",
        ROWS + 1,
        {("extra", "k199999", None)},
    ),
    "swapped": (
        "UPDATE many SET price = CASE code WHEN 'k000008' THEN 2.25 ELSE 2.0 END WHERE code IN ('k000008', 'k000009')",
        "UPDATE many SET price = CASE code WHEN 'k000008' THEN 2.0 ELSE 2.25 END WHERE code IN ('k000008', 'k000009')",
        ROWS,
        {("differs", "k000008", "price"), ("differs", "k000009", "price")},
    ),
    "replaced": (
        "UPDATE many SET code = 'x' WHERE code = 'k100000'",
        "UPDATE many SET code = 'k100000' WHERE code = 'x'",
        ROWS,
        {("missing", "k100000", None), ("extra", "x", None)},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_single_row_is_named(kept: Kept, change: str) -> None:
    """A row broken, dropped, added, doubled, swapped with another or replaced: just its key is named, and counted."""
    done, undone, rows, named = CHANGES[change]
    with without_key(kept):
        carry_out(kept, done)
        outcome = kept.program.run("verify", environment=kept.environment)
        carry_out(kept, undone)
    assert (outcome.code, outcome.document["verdict"]) == (1, "failed"), outcome.narration[-2000:]
    table = outcome.table("many")
    assert (table["rows_source"], table["rows_target"], table["verdict"]) == (ROWS, rows, "differs")
    assert table["rows_differing"] == len(named)
    lines = list(map(json.loads, (outcome.folder / "differences.jsonl").read_text().splitlines()))
    assert sorted((d["kind"], d["key"], d["column"] or "") for d in lines) == sorted(
        (k, i, c or "") for k, i, c in named
    )
    assert "value by value" not in outcome.narration


def test_many_rows_are_counted(kept: Kept) -> None:
    """Where one row in fifty differs all of them are counted, and the first ones named."""
    carry_out(kept, "UPDATE many SET price = price + 1 WHERE code LIKE '%00' OR code LIKE '%20'")
    outcome = kept.program.run("verify", environment=kept.environment)
    carry_out(kept, "UPDATE many SET price = price - 1 WHERE code LIKE '%00' OR code LIKE '%20'")
    table = outcome.table("many")
    assert (table["rows_source"], table["rows_target"], table["rows_differing"]) == (ROWS, ROWS, ROWS // 50)
    lines = (outcome.folder / "differences.jsonl").read_text().splitlines()
    assert {json.loads(line)["column"] for line in lines} == {"price"}
    assert "value by value" in outcome.narration


def test_what_was_mended_passes(kept: Kept) -> None:
    """With all changes taken back the same target passes, every row counted again."""
    outcome = kept.program.run("verify", environment=kept.environment)
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration[-2000:]
    table = outcome.table("many")
    assert (table["rows_source"], table["rows_target"], table["rows_differing"]) == (ROWS, ROWS, 0)
