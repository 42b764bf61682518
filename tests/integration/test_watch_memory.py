"""The watch's memory: bounded, shared by cron and a screen, private, and said so when it can't be used."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from zenni_tui.engine import folders
from zenni_tui.errors import StepFailed
from zenni_tui.model.vitals import Notify, Vital
from zenni_tui.target.connect import Target
from zenni_tui.watch.history import History, file_of, target_key
from zenni_tui.watch.station import Station, Watched

MINUTE, DAY = 60.0, 86_400.0


def test_minutes_are_kept_for_some_days(tmp_path: Path) -> None:
    """One measure a minute and vital, the last of it; what is older than the days given is forgotten."""
    history = History(tmp_path / "memory.db", days=2.0)
    for at, value in ((0.0, 1.0), (10 * DAY, 2.0), (10 * DAY + 30, 3.0), (10 * DAY + 60, 4.0)):
        history.keep(at, [Vital("pool", "pool", "", value), Vital("gone", "gone", "", 9.0, blind=True)], None)
    assert history.graphs() == {"pool": (3.0, 4.0)}
    assert (tmp_path / "memory.db").stat().st_mode & 0o077 == 0


def test_a_target_is_remembered_whoever_logs_in() -> None:
    """Host, port and database make a target; user and settings of the line don't."""
    one = {"host": "a", "port": "5432", "dbname": "d", "user": "x"}
    assert target_key(one) == target_key(one | {"user": "y", "sslmode": "require"})
    assert target_key(one) != target_key(one | {"dbname": "e"})


def test_a_damaged_memory_is_told(tmp_path: Path) -> None:
    """A file that is no database is said with its path and the way out."""
    path = tmp_path / "memory.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StepFailed) as caught:
        History(path, 7.0).alerts()
    assert (caught.value.where, "deleted" in caught.value.next_step) == (str(path), True)


async def test_cron_and_a_screen_do_not_raise_the_same_twice(
    database: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several looks at the same moment tell of one alert once."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    heard = tmp_path / "heard"
    command = ("sh", "-c", f'echo "$ZENNI_ALERT_STATE" >> {heard}')
    with psycopg.connect(**database, autocommit=True) as application:
        application.execute("CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT small CHECK (a < 9) NOT VALID")
        target = Target(database, database["password"], name="zenni-tui test_watch_memory")
        stations = [Station(target, Watched(notify=Notify(command=command))) for _ in range(4)]
        looks = await asyncio.gather(*(station.look() for station in stations))
    for station in stations:
        station.close()
    assert sorted(len(look.raised) for look in looks) == [0, 0, 0, 1]
    assert all(len(look.alerts) == 1 for look in looks)
    assert heard.read_text().split() == ["raised"]
    with closing(sqlite3.connect(file_of(target.parameters))) as memory:
        assert memory.execute("SELECT count(*) FROM message").fetchone() == (0,)
    assert folders.holder(file_of(target.parameters).with_suffix(".lock")) is None
