"""The demo: everything it starts lives as long as somebody holds it, and no longer."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from zenni_tui.errors import UsageError
from zenni_tui.sandbox import registry, webapp
from zenni_tui.sandbox.demo import Demo, close_demo, name_of, open_demo


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder whose demo is closed after the test."""
    yield tmp_path / "demo"
    close_demo(tmp_path / "demo")


def eventually(reached: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def health(demo: Demo) -> dict[str, object]:
    """Return what the demo's application says of itself."""
    with urllib.request.urlopen(f"{demo.app_url}health", timeout=10) as response:  # noqa: S310 - our own address
        return dict(json.load(response))


def is_over(folder: Path) -> bool:
    """Return whether neither server nor application runs."""
    return webapp.running(folder) is None and not registry.is_kept(registry.folder_of(name_of(folder)))


def put(demo: Demo, table: str) -> None:
    """Leave a table in the target."""
    with psycopg.connect(make_conninfo(**demo.target)) as session:
        session.execute(f'CREATE TABLE "{table}" ()')


def tables(demo: Demo) -> list[tuple[object, ...]]:
    """Return the tables in the target."""
    with psycopg.connect(make_conninfo(**demo.target)) as session:
        return session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()


def test_opens_with_an_empty_target_and_a_running_application(folder: Path) -> None:
    """A demo has an SQLite source, an application on it, and an empty target named zenni."""
    with open_demo(folder, bookings=50) as demo:
        assert health(demo) == {"status": "ok", "database": "sqlite", "bookings": 50}
        assert demo.target["dbname"] == "zenni"
        assert tables(demo) == []
        assert demo.source == folder / "prisma" / "dev.db"
        assert demo.schema.is_file()


def test_opening_twice_joins(folder: Path) -> None:
    """A second opening finds the same application and server, which outlive the first one's hold."""
    first = open_demo(folder, bookings=50)
    with open_demo(folder) as second:
        assert (second.app_url, second.target) == (first.app_url, first.target)
        first.close()
        time.sleep(2.5)
        assert health(second)["status"] == "ok"


def test_lives_on_in_who_inherited_the_hold(folder: Path) -> None:
    """A process that inherited the hold keeps server and application up; killed, it takes both along."""
    demo = open_demo(folder, bookings=50)
    heir = subprocess.Popen(["sleep", "60"], pass_fds=[demo.hold.fileno()])
    demo.close()
    time.sleep(2.5)
    assert health(demo)["status"] == "ok"
    heir.kill()
    heir.wait()
    assert eventually(lambda: is_over(folder))


def test_data_wait_for_the_next_time(folder: Path) -> None:
    """After everybody left, the next opening finds target, application and addresses as they were."""
    with open_demo(folder, bookings=50) as demo:
        put(demo, "kept")
    assert eventually(lambda: is_over(folder))
    with open_demo(folder) as again:
        assert tables(again) == [("kept",)]
        assert (again.app_url, again.target) == (demo.app_url, demo.target)


def test_closing_removes_the_data_only(folder: Path) -> None:
    """Closing stops everything whoever holds it and deletes the target; the folder stays, back on SQLite next time."""
    demo = open_demo(folder, bookings=50)
    put(demo, "lost")
    env = folder / ".env"
    env.write_text(env.read_text().replace("file:./prisma/dev.db", "postgresql://zenni:old@127.0.0.1:1/zenni"))
    close_demo(folder)
    demo.close()
    assert is_over(folder)
    assert demo.source.is_file()
    with open_demo(folder) as again:
        assert tables(again) == []
        assert health(again)["database"] == "sqlite"


def test_leaves_other_applications_alone(folder: Path) -> None:
    """A folder with somebody else's application is refused and not touched."""
    folder.mkdir()
    (folder / ".env").write_text("DATABASE_URL=file:./mine.db\n")
    with pytest.raises(UsageError):
        open_demo(folder)
    assert (folder / ".env").read_text() == "DATABASE_URL=file:./mine.db\n"
