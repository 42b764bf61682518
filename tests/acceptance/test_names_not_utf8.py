"""A file with names that are not UTF-8 arrives by a working copy, which every later step reads."""

import hashlib
import sqlite3
from contextlib import closing

import psycopg
from support import Program

ODD = b"caf\xe9"


def test_such_a_file_arrives_and_is_verified_again(
    program: Program, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Renaming loses nothing, so --accept-repairs takes it; the snapshot stays as the source is."""
    path = program.home / "app.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, cafX TEXT)")
        made.execute("INSERT INTO t VALUES (1, 'a' || char(0)), (2, 'b')")
        made.execute("PRAGMA writable_schema = ON")
        made.execute("UPDATE sqlite_schema SET sql = CAST(replace(CAST(sql AS BLOB), x'63616658', ?) AS TEXT)", (ODD,))
        made.commit()
    (program.home / "config.toml").write_text('[schema.repairs]\n"text_nul/t/café" = "strip_nul"\n')
    arguments = ("--source", str(path), "--keep", "--accept-repairs")
    first = program.run("rehearse", *arguments, environment=target_environment)
    assert (first.code, first.document["verdict"]) == (0, "passed"), first.narration
    assert first.finding("name_not_utf8")["chosen"] == "rename:café"
    assert r"caf\xe9" in first.finding("name_not_utf8")["message"]
    report = (first.folder / "report.md").read_text()
    assert all(part in report for part in ("name_not_utf8", r"caf\xe9", "Chosen: `rename:café`"))
    with psycopg.connect(**database) as target:
        assert target.execute('SELECT id, "café" FROM t ORDER BY id').fetchall() == [(1, "a"), (2, "b")]
    kept = (first.folder / "snapshot.db").read_bytes()
    assert hashlib.sha256(kept).hexdigest() == first.document["source"]["sha256"]
    assert b"(id INTEGER PRIMARY KEY, caf\xe9 TEXT)" in kept
    assert not (first.folder / "mend.sql").exists()
    again = program.run("verify", environment=target_environment)
    assert again.code == 0, again.narration
    with psycopg.connect(**database) as target:
        target.execute("""UPDATE t SET "café" = 'c' WHERE id = 2""")
    assert program.run("verify", environment=target_environment).code == 1
    mended = program.run("verify", "--repair", environment=target_environment)
    assert mended.code == 0, mended.narration
