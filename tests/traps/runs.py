"""Makes a group's file, runs the program on it, and remembers the outcomes for all of its traps."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from support import Outcome, Program

from traps import outside
from traps.judge import complain, matches
from traps.target import Target
from traps.words import Group, Trap
from zenni_tui.sandbox.server import Server


def build(group: Group, path: Path) -> dict[str, str]:
    """Make a group's file; returns the trap that owns each name in it."""
    database = sqlite3.connect(path, isolation_level=None)
    owners: dict[str, str] = {}
    database.executescript(f"{group.before}; PRAGMA foreign_keys = OFF;")
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for trap in group.traps:
        if isinstance(trap.make, str):
            database.executescript(trap.make)
        else:
            trap.make(database)
        for (name,) in database.execute("SELECT name FROM sqlite_schema"):
            owners.setdefault(name, trap.name)
    database.close()
    if group.after:
        group.after(path)
    if group.crash:
        crash(path, group.crash)
    return owners


_WRITER = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] == "wal":
    table = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchone()[0]
    rows = database.execute(f"SELECT * FROM {table}").fetchall()
    database.executescript(f"DELETE FROM {table}; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
else:
    table = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchone()[0]
    database.executescript("PRAGMA cache_size = 5; PRAGMA cache_spill = 1; BEGIN")
    for number in range(10, 2000):
        database.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (number, "never committed", bytes(500)))
    database.execute(f"UPDATE {table} SET t = 'never committed'")
os.kill(os.getpid(), 9)
"""


def crash(path: Path, how: str) -> None:
    """Kill a writer in the midst of its work, so that a hot journal or a WAL with rows stays behind."""
    subprocess.run([sys.executable, "-c", _WRITER, str(path), how], check=False)
    beside = path.with_name(path.name + {"wal": "-wal", "journal": "-journal"}[how])
    assert beside.stat().st_size > 0
    path.with_name(path.name + "-shm").unlink(missing_ok=True)


def prints(path: Path) -> dict[str, str]:
    """Return a hash of the file and of what lies beside it, `-shm` excepted."""
    found = (path.with_name(path.name + end) for end in ("", "-wal", "-journal"))
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in found if p.exists()}


def _text(value: str) -> str:
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value)
    return f'"{escaped}"'


def table(name: str, entries: dict[str, str]) -> str:
    """Return a table of a TOML file."""
    return f"[{name}]\n" + "".join(f"{_text(k)} = {_text(v)}\n" for k, v in entries.items())


def config(group: Group, repairs: dict[str, str]) -> str:
    """Return the operator's choices as a config file."""
    casts = {k: v for t in group.traps for k, v in t.casts.items()}
    renames = {k: v for t in group.traps for k, v in t.renames.items()}
    exclude = [n for t in group.traps for n in t.exclude]
    parts = [f"[source]\nexclude = [{', '.join(map(_text, exclude))}]\n"] if exclude else []
    named = (("schema.repairs", repairs), ("schema.casts", casts), ("schema.renames", renames))
    return "\n".join(parts + [table(name, entries) for name, entries in named if entries])


def repairs_for(group: Group, findings: list[dict[str, Any]]) -> dict[str, str]:
    """Return the choices that the traps make among the findings, by the finding's id."""
    chosen = {}
    for want in (w for t in group.traps for w in t.chosen):
        for finding in (f for f in findings if matches(want, f)):
            repair = str(want.choose)
            if repair.endswith(":*"):
                offers = [r["id"] for r in finding["repairs"] if r["id"].startswith(repair[:-1])]
                repair = offers[0] if offers else repair
            parts = (finding["code"], finding["table"], finding["column"])
            chosen["/".join(p for p in parts if p)] = repair
    return chosen


@dataclass(repr=False)
class Story:
    """What a group's runs gave: the first, and the second with the repairs chosen when the first had to block."""

    group: Group
    owners: dict[str, str]
    source: Path
    database: str
    first: Outcome
    second: Outcome | None
    untouched: bool
    empty_after_first: bool

    @property
    def last(self) -> Outcome:
        """Return the outcome that has to be `passed`."""
        return self.second or self.first

    def expected(self) -> bool:
        """Return whether the runs ended as the group's traps want, whatever was found on the way."""
        blocked = self.first.code == 3 if self.group.blocks else self.first.code == 0
        repairable = all(w.choose for t in self.group.traps for w in t.wants if w.severity == "error")
        return blocked and (self.last.code == 0 or not repairable)

    def findings(self, trap: Trap, outcome: Outcome) -> list[dict[str, Any]]:
        """Return the findings about one trap's tables, views and indexes."""
        alone = len(self.group.traps) == 1
        return [f for f in outcome.document.get("findings", ()) if alone or self.owners.get(f["table"]) == trap.name]


class Runs:
    """Runs each group once, and a trap alone where its group did not end as wanted."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home = home
        self.server = server
        self.known: dict[str, Story] = {}

    def of(self, group: Group, trap: Trap) -> Story:
        """Return the story in which a trap is judged: its group's, without those that spoiled it, or its own alone."""
        together = self._story(group)
        spoilers = [t for t in group.traps if complain(t, together.findings(t, together.first))]
        if together.expected() or len(group.traps) == 1 or trap in spoilers:
            return together
        others = self._story(
            replace(group, name=f"{group.name}_others", traps=tuple(t for t in group.traps if t not in spoilers))
        )
        return (
            others
            if others.expected()
            else self._story(replace(group, name=trap.name.replace("/", "_"), traps=(trap,)))
        )

    def _story(self, group: Group) -> Story:
        if group.name not in self.known:
            self.known[group.name] = self._tell(group)
        return self.known[group.name]

    def _tell(self, group: Group) -> Story:
        folder = self.home / group.name
        folder.mkdir()
        path = folder / "trap.db"
        owners = build(group, path)
        if group.prisma:
            (folder / "schema.prisma").write_text(group.prisma)
        name = f"trap_{len(self.known)}_{os.getpid()}"
        self.server.create_database(name)
        program, before = Program(folder), prints(path)
        again = any(t.chosen for t in group.traps) and not group.options
        first = self._run(program, group, path, name, {}, keep=not again)
        empty = self._empty(name)
        second = None
        if again and first.code in (0, 3):
            chosen = repairs_for(group, first.document["findings"])
            second = self._run(program, group, path, name, chosen, keep=True)
        return Story(group, owners, path, name, first, second, prints(path) == before, empty)

    def _run(
        self, program: Program, group: Group, path: Path, name: str, chosen: dict[str, str], *, keep: bool
    ) -> Outcome:
        (program.home / "config.toml").write_text(config(group, chosen))
        environment = {"ZENNI_TARGET_URL": make_conninfo("", **self.server.conninfo(name))}
        options = (*group.options, *(("--keep",) if keep else ()))
        return program.run("rehearse", "--source", str(path), *options, environment=environment)

    def _empty(self, name: str) -> bool:
        with psycopg.connect(**self.server.conninfo(name)) as target:
            left = target.execute(
                "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace LIMIT 1"
            ).fetchone()
            return left is None

    def look(self, story: Story, trap: Trap) -> None:
        """Compare a passed run's tables from outside, and make the trap's own checks in the target."""
        with psycopg.connect(**self.server.conninfo(story.database), autocommit=True) as connection:
            for check in trap.checks:
                check(Target(connection, story.last.document))
            if trap.compared:
                copy = story.source.with_name("reader.db")
                for end in ("", "-wal", "-journal"):
                    beside = story.source.with_name(story.source.name + end)
                    if beside.exists():
                        shutil.copyfile(beside, copy.with_name(copy.name + end))
                found = [d for t in self._tables(story, trap) for d in self._differences(copy, connection, t, trap)]
                assert not found, found

    def _tables(self, story: Story, trap: Trap) -> list[dict[str, Any]]:
        named = [t for t in story.last.document["tables"] if story.owners.get(t["source"]) == trap.name]
        return [t for t in named if t["verdict"] == "identical"]

    def _differences(self, copy: Path, target: Any, table: dict[str, Any], trap: Trap) -> list[str]:
        source = sqlite3.connect(copy)
        try:
            return outside.differences(source, target, table, trap.exclude)
        finally:
            source.close()
