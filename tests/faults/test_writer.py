"""A writer works on the source throughout: what arrives is one moment of it, and the report says which."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from zenni_tui.model.runbook import StepId

from . import outside
from .source import CLIENTS, make_source
from .trial import Trial, dice_for


@dataclass(frozen=True)
class Written:
    """One transaction of the writer's: its number, when it began and when it was committed, in seconds since 1970."""

    number: int
    began: float
    committed: float


@contextmanager
def writing(source: Path, dice: random.Random) -> Iterator[list[Written]]:
    """Let a thread add, change and delete rows, each time in one transaction; yields what it has written so far."""
    done = threading.Event()
    written: list[Written] = []

    def work() -> None:
        with closing(sqlite3.connect(source, timeout=60)) as live:
            while not done.wait(0.002):
                began = time.time()
                _transaction(live, dice, len(written))
                written.append(Written(len(written), began, time.time()))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield written
    finally:
        done.set()
        thread.join()


def _transaction(live: sqlite3.Connection, dice: random.Random, number: int) -> None:
    with live:
        live.execute("INSERT INTO Client (name, score) VALUES (?, ?)", (f"new {number}", number))
        live.execute("UPDATE Client SET score = ? WHERE id = ?", (-number, dice.randint(1, CLIENTS)))
        live.execute("DELETE FROM Visit WHERE rowid = ?", (dice.randint(1, 9000),))
        live.execute("INSERT INTO Line VALUES (?, 'tick')", (number,))


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_the_snapshot_is_what_arrives(begin: Callable[..., Trial], tmp_path: Path, mode: str) -> None:
    """The target holds the transactions committed before the moment that the report names, each of them whole."""
    source = make_source(tmp_path / "live.db")
    with closing(sqlite3.connect(source)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
    trial = begin(source=source)
    with writing(source, dice_for("writer", 0)) as written:
        trial.until(lambda: len(written) > 20, "some changes")
        trial.engage()
        trial.finish()
        facts = trial.follower.state.source
        count = len(written)
    assert facts is not None
    assert outside.differences(trial.follower.folder / "snapshot.db", trial.direct) == []
    with psycopg.connect(**trial.direct) as target:
        ticks = [n for (n,) in target.execute("SELECT at FROM \"Line\" WHERE said = 'tick' ORDER BY at")]
        added = target.execute("SELECT count(*) FROM \"Client\" WHERE name LIKE 'new %'").fetchone()
    assert ticks == list(range(len(ticks)))
    assert added == (len(ticks),)
    assert sum(w.committed < facts.as_of for w in written) <= len(ticks) < count
    step = trial.follower.state.step(StepId.SNAPSHOT)
    assert written[len(ticks) - 1].began < step.started + step.seconds
    said = datetime.fromtimestamp(facts.as_of, UTC).isoformat(timespec="milliseconds")
    assert said in (trial.follower.folder / "report.md").read_text()
