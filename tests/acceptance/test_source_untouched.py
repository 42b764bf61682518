"""Nothing that reads the source changes a byte of it, or of its WAL or journal."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from support import Program
from traps.runs import crash, prints


def _make(path: Path, state: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, t TEXT, b BLOB)")
        database.executemany("INSERT INTO t (t, b) VALUES (?, ?)", [("committed", bytes(500))] * 9)
        database.commit()
    if state != "quiet":
        crash(path, state)


@pytest.mark.parametrize("state", ["quiet", "wal", "journal"])
def test_every_verb_that_reads_leaves_the_source_as_it_is(
    program: Program, database: dict[str, str], target_environment: dict[str, str], state: str
) -> None:
    """File, WAL and journal have the same hashes after each verb: at rest, with rows in the WAL, with a hot journal."""
    path = program.home / "app.db"
    _make(path, state)
    before = prints(path)
    assert set(before) == {path.name} | ({f"{path.name}-{state}"} if state != "quiet" else set())
    named = ("--source", str(path))
    for words in (("check", *named), ("audit", *named), ("plan", *named), ("rehearse", *named, "--keep"), ("verify",)):
        outcome = program.run(*words, environment=target_environment)
        assert outcome.code == 0, outcome.narration
        assert prints(path) == before, words
    with psycopg.connect(**database) as target:
        assert target.execute("SELECT count(*), min(t), max(t) FROM t").fetchone() == (9, "committed", "committed")
