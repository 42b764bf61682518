"""A switch and its fall-back under load: what clients were told is kept stands on the serving side, exactly once.

`ZENNI_SWITCHES` says how many times it is tried, `ZENNI_WRITES` how many writes come between switch and fall-back.
"""

import json
import os
import random
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import clients
import psycopg
import pytest
from support import PATIENCE, Program
from switching import Application, migrate, switch

SWITCHES = int(os.environ.get("ZENNI_SWITCHES", "1"))
WRITES = int(os.environ.get("ZENNI_WRITES", "600"))
SEED = int(os.environ.get("ZENNI_SEED", "0")) or secrets.randbits(30)
ROWS, CLIENTS = 5_000, 3
Tables = dict[str, dict[Any, Any]]


def _expected(folder: Path) -> Tables:
    """Fold the clients' own logs: the rows that were acknowledged, whoever made them."""
    tables: Tables = {"Service": {"base": ("Sauna",)}, "Tally": {}, "Loose": {}}
    tables["Booking"] = {i: ("base", f"b{i}", clients.EPOCH + i, "old") for i in range(1, ROWS + 1)}
    owners: dict[int, int] = {}
    for number in range(CLIENTS):
        for entry in _log(folder, number):
            for table, key, row in entry.get("rows", ()):
                if table == "Booking":
                    assert owners.setdefault(key, number) == number, f"booking {key} was given to two clients"
                own = tuple(key) if isinstance(key, list) else key
                if row is None or row == []:
                    tables[table].pop(own, None)
                else:
                    tables[table][own] = sorted(row) if table == "Loose" else tuple(row)
    return tables


def _log(folder: Path, number: int) -> list[dict[str, Any]]:
    path = folder / f"log-{number}"
    # A client may be in the midst of its last line.
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in whole.splitlines()]


def _stored(rows: dict[str, list[tuple[Any, ...]]]) -> Tables:
    found: Tables = {
        "Service": {one: (name,) for one, name in rows["Service"]},
        "Booking": {one: tuple(row) for one, *row in rows["Booking"]},
        "Tally": {(client, n): (note,) for client, n, note in rows["Tally"]},
        "Loose": {},
    }
    for table in ("Service", "Booking", "Tally"):
        assert len(found[table]) == len(rows[table]), f"{table} holds a row twice"
    for client, note in sorted(rows["Loose"]):
        found["Loose"].setdefault(client, []).append(note)
    return found


_COLUMNS = {"Service": "id, name", "Booking": "id, service, code, {}, note", "Tally": "client, n, note"}
_COLUMNS["Loose"] = "client, note"


def _in_file(file: Path) -> Tables:
    with closing(sqlite3.connect(file)) as old:
        assert old.execute("SELECT count(*) FROM Booking WHERE typeof(start) <> 'integer'").fetchone() == (0,)
        return _stored({t: old.execute(f"SELECT {c.format('start')} FROM {t}").fetchall() for t, c in _COLUMNS.items()})


def _in_target(database: dict[str, str]) -> Tables:
    start = "(extract(epoch FROM start AT TIME ZONE 'UTC') * 1000)::bigint"
    with psycopg.connect(**database, options="-c TimeZone=UTC") as new:  # type: ignore[arg-type]
        return _stored(
            {t: new.execute(f'SELECT {c.format(start)} FROM "{t}"').fetchall() for t, c in _COLUMNS.items()}  # type: ignore[call-overload]
        )


def _same(found: Tables, wanted: Tables) -> None:
    for table, rows in wanted.items():
        lost = {k: v for k, v in rows.items() if found[table].get(k) != v}
        more = {k: v for k, v in found[table].items() if k not in rows}
        assert (lost, more) == ({}, {}), f"{table}: lost or other {lost}, not acknowledged {more}"


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")


class Load:
    """Several clients at work on an application."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        place = Path(clients.__file__)
        self.processes = [
            subprocess.Popen([sys.executable, str(place), str(folder), str(n), str(seed), "0.005"])
            for n in range(CLIENTS)
        ]

    def acknowledged(self) -> int:
        """Return how many writes have been acknowledged."""
        return sum("rows" in entry for n in range(CLIENTS) for entry in _log(self.folder, n))

    def until(self, count: int) -> None:
        """Wait for so many acknowledged writes."""
        deadline = time.monotonic() + PATIENCE + count / 20
        while self.acknowledged() < count:
            assert time.monotonic() < deadline
            self._well()
            time.sleep(0.1)

    def _well(self) -> None:
        assert all(p.poll() is None for p in self.processes), "a client met an error that is no refusal"

    @contextmanager
    def still(self) -> Iterator[None]:
        """Let all stand still between two writes."""
        (self.folder / "pause").touch()
        deadline = time.monotonic() + PATIENCE
        while not all((self.folder / f"paused-{n}").exists() for n in range(CLIENTS)):
            assert time.monotonic() < deadline
            self._well()
            time.sleep(0.01)
        yield
        (self.folder / "pause").unlink()

    def stop(self) -> None:
        """End them."""
        (self.folder / "stop").touch()
        for process in self.processes:
            process.wait(PATIENCE)

    def gap(self, side: bool) -> float:  # noqa: FBT001 - which side
        """Return the seconds from the last write that the other side took to the first that a side took."""
        moments = [(e["at"], e["new"]) for n in range(CLIENTS) for e in _log(self.folder, n) if "rows" in e]
        changes = [b[0] - a[0] for a, b in zip(sorted(moments), sorted(moments)[1:], strict=False) if b[1] != a[1]]
        assert len(changes) == (1 if side else 2), "both sides took writes at a time"
        return changes[-1]


@pytest.mark.parametrize("number", range(SWITCHES))
def test_every_acknowledged_write_is_where_the_application_serves(
    number: int, program: Program, tmp_path: Path, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Bookings, changes, cancellations, REPLACE, key updates, cascades, swaps, bulk: none lost, none doubled."""
    dice = random.Random(SEED + number)  # noqa: S311 - moments of a test
    _say(f"ZENNI_SEED={SEED + number}")
    application = Application(tmp_path / "app", schema=clients.SCHEMA + clients.BEFORE % ROWS)
    application.rows(f"PRAGMA journal_mode = {dice.choice(('WAL', 'DELETE'))}")
    schema = application.schema()
    load = Load(application.folder, SEED + number)
    try:
        load.until(20)
        migrate(program, application, target_environment, "--meanwhile", "follow")
        time.sleep(dice.uniform(0, 2))
        done = switch(program, target_environment)
        assert done.code == 0, done.narration
        load.until(load.acknowledged() + dice.randrange(50, 200))
        _say(f"switched: clients waited {load.gap(side=True):.2f} s, told {done.document['totals']}")
        with load.still():
            _same(_in_target(database), _expected(application.folder))
        load.until(load.acknowledged() + WRITES)
        back = program.run("rollback", "--confirm", "FALL BACK", "--why", "trial", environment=target_environment)
        assert (back.code, back.document["verdict"]) == (5, "rolled_back"), back.narration
        with load.still():
            _same(_in_file(application.file), _expected(application.folder))
        load.until(load.acknowledged() + 50)
        _say(f"fallen back: clients waited {load.gap(side=False):.2f} s")
    finally:
        load.stop()
    _same(_in_file(application.file), _expected(application.folder))
    assert application.rows("PRAGMA integrity_check") == [("ok",)]
    assert application.rows("PRAGMA foreign_key_check") == []
    assert application.schema() == schema
    # What is left to be taken back is the migration: the target's tables go, the file stays.
    assert program.run("rollback", environment=target_environment).code == 5
    with psycopg.connect(**database) as new:  # type: ignore[arg-type]
        assert new.execute("SELECT to_regclass('\"Booking\"')").fetchone() == (None,)
    _same(_in_file(application.file), _expected(application.folder))
