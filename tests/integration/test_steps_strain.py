"""What a run sees of its target's strain, on servers that show all of it, a part, or nothing."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psycopg
import pytest
from faults.disk import Mounted, small_disk
from psycopg import sql

from zenni_tui.model import events as e
from zenni_tui.model.request import Bounds, Request
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.state import RunState
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.binaries import server_account
from zenni_tui.sandbox.proxy import Proxy
from zenni_tui.steps.run import Run
from zenni_tui.steps.strain import Strain
from zenni_tui.target.connect import Target

MB = 1_000_000


class Looked:
    """A run that looks at a database, and all that it told."""

    def __init__(self, settings: dict[str, str], bounds: Bounds) -> None:
        self.told: list[e.AnyEvent] = []
        request = Request("r", RunKind.REHEARSE, "source.db", bounds=bounds)
        self.run = Run(request, Path(), self.told.append, RunState)
        self.run.target = Target(settings, settings["password"], name="test")
        self.strain = Strain(self.run)

    @property
    def words(self) -> list[str]:
        """Return what was told, in sentences."""
        return [t.words if isinstance(t, e.Eased) else t.text for t in self.told if isinstance(t, e.Eased | e.Said)]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """Yield a connection for the looks."""
        connection = await self.run.to.connect_async()
        try:
            yield connection
        finally:
            connection.terminate()


@pytest.fixture
def stranger(database: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield how a role logs in that may ask nothing but tables."""
    name, password = f"stranger_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    with psycopg.connect(**database, autocommit=True) as admin:
        role = sql.Identifier(name)
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        admin.execute("REVOKE SELECT ON pg_stat_replication FROM PUBLIC")
        admin.execute("REVOKE EXECUTE ON FUNCTION pg_database_size(name) FROM PUBLIC")
        yield database | {"user": name, "password": password}
        admin.execute(sql.SQL("DROP ROLE {}").format(role))


async def test_what_a_role_may_not_see_is_said_once(stranger: dict[str, str]) -> None:
    """Standbys and size are denied, the disk not shown: each is said once at most, and no worker waits for it."""
    looked = Looked(stranger, Bounds(1, 1, 1))
    async with looked.connected() as connection:
        for _ in range(3):
            assert await looked.strain.look(connection)
    assert [w.partition(",")[0] for w in looked.words] == [
        "The target does not tell how far standbys are behind",
        "The target does not tell how large the database is",
    ]
    assert all("permission denied" in w for w in looked.words)
    assert looked.run.halted is None
    assert looked.run.steering.workers == looked.run.steering.settings.workers


async def test_a_line_that_breaks_is_not_the_servers_word(database: dict[str, str]) -> None:
    """A cut line ends the look and asks for another connection; by that one everything is looked at again."""
    with Proxy(int(database["port"])) as proxy:
        looked = Looked(database | {"port": str(proxy.port)}, Bounds(1, 1, 0))
        async with looked.connected() as connection:
            assert await looked.strain.look(connection)
            proxy.cut()
            assert not await looked.strain.look(connection)
        told = [w for w in looked.words if "does not tell" in w]
        async with looked.connected() as connection:
            assert await looked.strain.look(connection)
    assert told == []
    assert any("that it may take" in w for w in looked.words)


async def test_a_disk_that_fills_up(server: sandbox.Server) -> None:
    """Of a server on this machine the disk itself is looked at: near its end one works alone, past it the run stops."""
    name = f"small_{secrets.token_hex(4)}"
    with small_disk(40 * MB) as disk, psycopg.connect(**server.conninfo(), autocommit=True) as admin:
        if not isinstance(disk, Mounted):
            pytest.skip("no file system may be mounted here")
        place = disk.folder / "space"
        place.mkdir(0o700)
        if account := server_account():
            os.chown(place, account.uid, account.gid)
        admin.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(name), str(place)))
        admin.execute(sql.SQL("CREATE DATABASE {0} TABLESPACE {0}").format(sql.Identifier(name)))
        try:
            await _fill(Looked(server.conninfo(name), Bounds(0, 0, 8)), disk.folder / "ballast")
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(name)))


async def _fill(looked: Looked, ballast: Path) -> None:
    async with looked.connected() as connection:
        assert await looked.strain.look(connection)
        assert looked.words == []
        for left, halted in ((12, False), (6, True)):
            _leave(ballast, left * MB)
            assert await looked.strain.look(connection)
            assert looked.run.steering.workers == 1
            assert (looked.run.halted is not None) is halted
        _leave(ballast, 30 * MB)
        assert await looked.strain.look(connection)
    assert looked.run.halted is not None
    assert "has 6 MB left, 8 are to stay free ([copy] free_mb)" in looked.run.halted.why
    assert [w.partition(".")[0] for w in looked.words] == [
        "The server's disk has 12 MB left, 8 are to stay free ([copy] free_mb)",
        "The server's disk has room again",
    ]


def _leave(ballast: Path, left: int) -> None:
    ballast.write_bytes(b"")
    disk = os.statvfs(ballast.parent)
    ballast.write_bytes(bytes(disk.f_bavail * disk.f_frsize - left))
