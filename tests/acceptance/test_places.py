"""Rows of tables without rowids are told by their places: kept out, set aside, verified and loaded again just so."""

import json
import sqlite3
from contextlib import closing

import psycopg
from support import Program

REPAIRS = """[schema.repairs]
"text_nul/keyed/v" = "quarantine"
"text_nul/hidden/v" = "quarantine"
"foreign_key_orphans/keyed/p" = "quarantine"
"""


def test_rows_without_rowids_can_be_kept_out(
    program: Program, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Just the named rows stay out, whatever index covers the columns; one that gets in is removed."""
    path = program.home / "app.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.executescript(
            """CREATE TABLE parent (id INTEGER PRIMARY KEY); INSERT INTO parent VALUES (1);
            CREATE TABLE keyed (k TEXT, n INTEGER, v TEXT, p INTEGER REFERENCES parent (id), PRIMARY KEY (k, n))
                WITHOUT ROWID; CREATE INDEX keyed_v ON keyed (v DESC, k, n, p);
            CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT, oid TEXT, v TEXT);
            CREATE INDEX hidden_v ON hidden (v DESC)"""
        )
        rows = [
            (chr(122 - i % 26), i, f"v{i * 7 % 50}" + "\0" * (i in {11, 40}), 9 if i == 25 else 1) for i in range(50)
        ]
        made.executemany("INSERT INTO keyed VALUES (?, ?, ?, ?)", rows)
        made.executemany("INSERT INTO hidden VALUES (?, 'b', 'c', ?)", [(str(n), v) for _, n, v, _ in rows])
    (program.home / "config.toml").write_text(REPAIRS)
    passed = program.run("rehearse", "--source", str(path), "--keep", environment=target_environment)
    assert (passed.code, passed.document["verdict"]) == (0, "passed"), passed.narration
    assert passed.document["totals"]["rows_quarantined"] == 5
    assert sorted(passed.finding("foreign_key_orphans")["keys"]) == ["a, 25"]
    with psycopg.connect(**database) as target:
        kept = target.execute("SELECT k, n, v, p FROM keyed ORDER BY n").fetchall()
        assert kept == [row for row in rows if row[1] not in {11, 25, 40}]
        names = target.execute('SELECT "rowid"::int FROM hidden ORDER BY 1').fetchall()
        assert names == [(n,) for n in range(50) if n not in {11, 40}]
        aside = target.execute("SELECT table_name, stored FROM zenni_tui.quarantine ORDER BY 1, source_row").fetchall()
        assert sorted((t, int(s.get("n", s.get("rowid")))) for t, s in aside) == [
            ("hidden", 11),
            ("hidden", 40),
            ("keyed", 11),
            ("keyed", 25),
            ("keyed", 40),
        ]
        target.execute("INSERT INTO keyed VALUES ('o', 11, 'v27', 1); DELETE FROM hidden WHERE \"rowid\" = '3'")
    assert program.run("verify", environment=target_environment).code == 1
    mended = program.run("verify", "--repair", environment=target_environment)
    assert mended.code == 0, mended.narration
    assert json.dumps(mended.document["totals"]["rows_quarantined"]) == "5"
