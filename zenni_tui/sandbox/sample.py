"""A sample booking application: a Prisma project in a folder, with an SQLite database that has hard cases."""

import hashlib
import os
import sqlite3
import tomllib
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from zenni_tui.errors import UsageError
from zenni_tui.files import write_private
from zenni_tui.model.questions import Questions, asked
from zenni_tui.model.record import Record, from_json, to_json

from .detach import make_private
from .sample_rows import Row, Sample

TROUBLES: dict[str, str] = {
    "drift": 'The file lacks the column Service."order" that schema.prisma declares.',
    "orphans": "Two bookings name a service that does not exist.",
    "nul": "The notes of two bookings hold a NUL character, which PostgreSQL cannot store.",
    "badutf8": "One customer's name is not valid UTF-8.",
    "text-in-int": "The duration of one service is the text 'sixty'.",
}
"""What can be wrong with the sample on request, a sentence each."""

MIGRATION = "20230831120000_init"
INDEXES = "-- CreateIndex"
ORDER_COLUMN = '    "order" INTEGER NOT NULL DEFAULT 0,\n'
ORDER_POSITION = 11
TROUBLED_BOOKINGS = 20
"""Troubles touch the rows from the thirteenth to the seventeenth."""

ENVIRONMENT = """\
# Zenni Wellness: the booking application's settings
APP_NAME="Zenni Wellness"
PORT=3000

# SQLite, next to the Prisma schema; the path is relative to this folder
DATABASE_URL="file:./prisma/dev.db"

TIMEZONE=Europe/Helsinki
"""
PRISMA_CONFIG = """\
import "dotenv/config";
import { defineConfig, env } from "prisma/config";

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  datasource: { url: env("DATABASE_URL") },
});
"""


@dataclass(frozen=True, slots=True)
class SampleApplication:
    """Where a sample application's parts are."""

    folder: Path
    database: Path
    schema: Path
    env: Path


class SampleMark(Record, frozen=True):
    """How a sample was made; its file shows that a folder is ours."""

    bookings: int
    seed: int
    trouble: tuple[str, ...]


def make_application(
    folder: Path, *, bookings: int = 2000, seed: int = 1, trouble: tuple[str, ...] = ()
) -> SampleApplication:
    """Write a sample application into a folder, the same for the same arguments.

    Raises UsageError for an unknown trouble, too few bookings, or a folder that has a database or an .env already.
    """
    _check(folder, bookings, trouble)
    application = application_in(folder)
    make_private(application.schema.parent)
    part = application.database.with_name(".dev.db.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))
    _write_database(part, Sample(seed), bookings, frozenset(trouble))
    part.rename(application.database)
    _write_project(application)
    write_private(folder / "sample.json", to_json(SampleMark(bookings, seed, trouble)))
    return application


def application_in(folder: Path) -> SampleApplication:
    """Return where the parts of an application in this folder are, whether or not they exist."""
    prisma = folder / "prisma"
    return SampleApplication(folder, prisma / "dev.db", prisma / "schema.prisma", folder / ".env")


def read_mark(folder: Path) -> SampleMark | None:
    """Return how the sample in a folder was made; None when there is none, or not a whole one."""
    try:
        return from_json((folder / "sample.json").read_bytes(), SampleMark)
    except (OSError, msgspec.DecodeError):
        return None


def write_environment(application: SampleApplication) -> None:
    """Write the .env of a sample anew: the application is on SQLite."""
    write_private(application.env, ENVIRONMENT.encode())


def questions() -> Questions:
    """Return the query patterns and metrics that the sample's team asks for."""
    sections = tomllib.loads(_text("sample_config.toml"))
    return Questions("", asked(sections["queries"]), asked(sections["metrics"]))


def _check(folder: Path, bookings: int, trouble: tuple[str, ...]) -> None:
    unknown = [t for t in trouble if t not in TROUBLES]
    if unknown:
        raise UsageError(f"There is no trouble {unknown[0]!r}", next_step=f"choose from: {', '.join(TROUBLES)}")
    if bookings < (TROUBLED_BOOKINGS if trouble else 0):
        raise UsageError(f"{bookings} bookings are too few", why=f"troubles need {TROUBLED_BOOKINGS}")
    application = application_in(folder)
    for path in (application.database, application.env, application.schema):
        if path.exists():
            raise UsageError(
                "The folder holds an application already",
                where=str(path),
                why="a sample overwrites nothing",
                next_step="name an empty folder",
            )


def _write_project(application: SampleApplication) -> None:
    migrations = application.schema.parent / "migrations"
    make_private(migrations / MIGRATION)
    write_private(migrations / "migration_lock.toml", b'provider = "sqlite"\n')
    write_private(migrations / MIGRATION / "migration.sql", _text("sample.sql").encode())
    write_private(application.schema, _text("sample.prisma").encode())
    write_private(application.folder / "prisma.config.ts", PRISMA_CONFIG.encode())
    _write_code(application.folder)
    write_environment(application)


def _write_code(folder: Path) -> None:
    """Write the application's code: queries that stand as they are, and twelve that only SQLite understands."""
    code = Path(__file__).with_name("project")
    for path in sorted(p for p in code.rglob("*") if p.is_file()):
        place = folder / path.relative_to(code)
        make_private(place.parent)
        write_private(place, path.read_bytes())


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _write_database(path: Path, sample: Sample, bookings: int, trouble: frozenset[str]) -> None:
    """Write tables, rows, then indexes: in that order it is fast, and it is the order Prisma leaves."""
    tables, separator, indexes = _text("sample.sql").partition(INDEXES)
    if "drift" in trouble:
        tables = tables.replace(ORDER_COLUMN, "")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # The file is new and renamed when whole: a crash leaves nothing that anybody would use.
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -200000", "locking_mode = EXCLUSIVE"):
            database.execute(f"PRAGMA {setting}")
        database.executescript(_text("sample_migrations.sql") + tables)
        database.execute("BEGIN")
        for table, rows in _contents(sample, bookings, trouble):
            _insert(database, table, rows)
        for name in sorted(trouble - {"drift"}):
            _MAKERS[name](database)
        database.execute("COMMIT")
        database.executescript(separator + indexes)


def _contents(sample: Sample, bookings: int, trouble: frozenset[str]) -> Iterable[tuple[str, Iterable[Row]]]:
    checksum = hashlib.sha256(_text("sample.sql").encode()).hexdigest()
    services = sample.services()
    if "drift" in trouble:
        services = (row[:ORDER_POSITION] + row[ORDER_POSITION + 1 :] for row in services)
    return [
        ("_prisma_migrations", sample.migrations(MIGRATION, checksum)),
        ("Service", services),
        ("Tag", sample.tags()),
        ("_ServiceToTag", sample.services_tags()),
        ("Availability", sample.availability()),
        ("BlockedDate", sample.blocked_dates()),
        ("Booking", sample.bookings(bookings)),
    ]


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    columns = database.execute("SELECT count(*) FROM pragma_table_info(?)", (table,)).fetchone()[0]
    marks = ", ".join("?" * columns)
    database.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)  # noqa: S608 - our own tables' names


def _make_orphans(database: sqlite3.Connection) -> None:
    database.execute("""UPDATE "Booking" SET "serviceId" = 'c00000000000000000000gone' WHERE rowid IN (13, 14)""")


def _make_nul(database: sqlite3.Connection) -> None:
    database.execute("""UPDATE "Booking" SET "notes" = 'ennen' || char(0) || 'jälkeen' WHERE rowid IN (15, 16)""")


def _make_bad_utf8(database: sqlite3.Connection) -> None:
    latin = "Jörn Hämäläinen".encode("latin-1")
    database.execute('UPDATE "Booking" SET "customerName" = CAST(? AS TEXT) WHERE rowid = 17', (latin,))


def _make_text_in_int(database: sqlite3.Connection) -> None:
    database.execute("""UPDATE "Service" SET "duration" = 'sixty' WHERE rowid = 1""")


_MAKERS: dict[str, Callable[[sqlite3.Connection], None]] = {
    "orphans": _make_orphans,
    "nul": _make_nul,
    "badutf8": _make_bad_utf8,
    "text-in-int": _make_text_in_int,
}
