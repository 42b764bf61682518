"""What capture costs each request of the application: single writes and bulk ones, with and without, on both sides."""

import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from inspected import schema_of

from zenni_tui.source import capture as forward
from zenni_tui.target import capture as backward

from .figures import Claim, Figures, alternate
from .ground import Ground

SINGLE, BULK, BEFORE = 300, 20_000, 50_000
_TABLE = (
    'CREATE TABLE "Booking" (id TEXT PRIMARY KEY NOT NULL, code TEXT UNIQUE, service TEXT NOT NULL,'
    " at INTEGER NOT NULL, note TEXT)"
)
_INDEX = 'CREATE INDEX "Booking_service_idx" ON "Booking" (service, at)'
_KEYS: dict[str, tuple[str, ...]] = {"Booking": ("id",)}
Run = Callable[..., Any]


def measure(ground: Ground) -> list[Claim]:
    """Alternate plain and captured, on an SQLite file in WAL mode and on a server that keeps what it commits."""
    claims: list[Claim] = []
    for side, works in (("SQLite", _file_works(ground)), ("PostgreSQL", _server_works(ground))):
        figures = Figures("ms")
        alternate(figures, ground.rounds, works)
        figures.show()
        for kind in ("insert", "update", "delete"):
            plain, ours = (min(figures.rounds[f"{side} {kind}, {how}"]) for how in ("plain", "captured"))
            claims.append(Claim(f"ms more for a single {kind} in {side}", ours - plain, 0.5))
            bulk = figures.ratio(f"{side} bulk {kind}, captured", f"{side} bulk {kind}, plain")
            claims.append(Claim(f"bulk {kind} in {side} to that without capture", bulk, 2.5))
    return claims


def _row(number: int) -> tuple[str, str, str, int, str]:
    return (f"b{number:012}", f"c{number}", f"s{number % 17}", 1_767_225_600_000 + number, "a note of some length")


class _Writer:
    """Writes rows to one side; each figure is in milliseconds, a request for single ones, the whole for bulk."""

    def __init__(self, name: str, do: Run, many: Run, transaction: Run) -> None:
        self._name, self._do, self._many, self._transaction = name, do, many, transaction
        self._next = BEFORE

    def works(self, how: str) -> dict[str, Callable[[], float]]:
        """Return each work by its name."""
        return {
            f"{self._name} insert, {how}": lambda: self._single(self._insert),
            f"{self._name} update, {how}": lambda: self._single(self._update),
            f"{self._name} delete, {how}": lambda: self._single(self._delete),
            f"{self._name} bulk insert, {how}": self._bulk_insert,
            f"{self._name} bulk update, {how}": lambda: self._bulk(
                'UPDATE "Booking" SET note = note || ? WHERE at >= ?', "x"
            ),
            f"{self._name} bulk delete, {how}": lambda: self._bulk('DELETE FROM "Booking" WHERE at >= ?'),
        }

    def _single(self, deed: Callable[[int], None]) -> float:
        started = time.perf_counter()
        for number in range(SINGLE):
            deed(number)
        return (time.perf_counter() - started) * 1000 / SINGLE

    def _insert(self, number: int) -> None:
        self._do('INSERT INTO "Booking" VALUES (?, ?, ?, ?, ?)', *_row(BEFORE * 10 + number))

    def _update(self, number: int) -> None:
        self._do('UPDATE "Booking" SET note = ? WHERE id = ?', secrets.token_hex(8), _row(number)[0])

    def _delete(self, number: int) -> None:
        self._do('DELETE FROM "Booking" WHERE id = ?', _row(BEFORE * 10 + number)[0])

    def _bulk_insert(self) -> float:
        return self._timed(lambda: self._many([_row(BEFORE + n) for n in range(BULK)]))

    def _bulk(self, query: str, *values: object) -> float:
        return self._timed(lambda: self._do(query, *values, _row(BEFORE)[3]))

    def _timed(self, deed: Callable[[], object]) -> float:
        started = time.perf_counter()
        self._transaction(deed)
        return (time.perf_counter() - started) * 1000


def _file(path: Path, *, captured: bool) -> _Writer:
    for stale in path.parent.glob(f"{path.name}*"):
        stale.unlink()
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute(_TABLE)
        made.execute(_INDEX)
        made.executemany('INSERT INTO "Booking" VALUES (?, ?, ?, ?, ?)', map(_row, range(BEFORE)))
    made.close()
    file = sqlite3.connect(path, isolation_level=None)
    if captured:
        forward.arm(file, schema_of(path), _KEYS, "benchmark")

    def transaction(deed: Callable[[], object]) -> None:
        file.execute("BEGIN IMMEDIATE")
        deed()
        file.execute("COMMIT")

    def many(rows: list[tuple[Any, ...]]) -> None:
        file.executemany('INSERT INTO "Booking" VALUES (?, ?, ?, ?, ?)', rows)

    return _Writer("SQLite", lambda query, *values: file.execute(query, values), many, transaction)


def _server(database: dict[str, str], *, captured: bool) -> _Writer:
    link = psycopg.connect(autocommit=True, **database)  # type: ignore[arg-type]
    link.execute(_TABLE.replace("INTEGER", "BIGINT"))
    link.execute(_INDEX)
    with link.cursor() as cursor:
        cursor.executemany('INSERT INTO "Booking" VALUES (%s, %s, %s, %s, %s)', list(map(_row, range(BEFORE))))
    link.execute('ANALYZE "Booking"')
    if captured:
        link.execute("CREATE SCHEMA zenni_tui")
        backward.arm(link, "public", _KEYS)

    def do(query: str, *values: object) -> None:
        link.execute(query.replace("?", "%s").encode(), values)

    def many(rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join(["(%s, %s, %s, %s, %s)"] * 1000)
        for start in range(0, len(rows), 1000):
            values = [v for row in rows[start : start + 1000] for v in row]
            link.execute(f'INSERT INTO "Booking" VALUES {marks}'.encode(), values)

    def transaction(deed: Callable[[], object]) -> None:
        with link.transaction():
            deed()

    return _Writer("PostgreSQL", do, many, transaction)


def _file_works(ground: Ground) -> dict[str, Callable[[], float]]:
    folder = ground.scratch / "capture"
    folder.mkdir(exist_ok=True)
    plain, ours = _file(folder / "plain.db", captured=False), _file(folder / "captured.db", captured=True)
    return plain.works("plain") | ours.works("captured")


def _server_works(ground: Ground) -> dict[str, Callable[[], float]]:
    made = []
    for captured in (False, True):
        name = f"bench_{secrets.token_hex(6)}"
        ground.server.create_database(name)
        made.append(_server(ground.server.conninfo(name), captured=captured))
    return made[0].works("plain") | made[1].works("captured")
