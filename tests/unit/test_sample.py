"""The sample application: the same for the same seed, in Prisma's form, with every hard case in it."""

import hashlib
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from zenni_tui.errors import UsageError
from zenni_tui.sandbox import helsinki
from zenni_tui.sandbox.sample import TROUBLES, SampleApplication, make_application, read_mark

TABLES = ("_prisma_migrations", "Service", "Booking", "Availability", "BlockedDate", "Tag", "_ServiceToTag")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
PLAIN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def ask(application: SampleApplication, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query, texts as their bytes."""
    with closing(sqlite3.connect(application.database)) as database:
        database.text_factory = bytes
        return database.execute(query).fetchall()


def contents(application: SampleApplication) -> list[list[tuple[object, ...]]]:
    """Return every row of every table, in order."""
    return [ask(application, f'SELECT * FROM "{table}"') for table in TABLES]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleApplication:
    """Yield a sample without trouble."""
    return make_application(tmp_path_factory.mktemp("sample") / "app")


def test_same_seed_same_rows(tmp_path: Path) -> None:
    """Two samples of one seed are equal to the byte, and another seed makes another one."""
    one, two, other = (make_application(tmp_path / str(i), bookings=300, seed=7 + i // 2) for i in range(3))
    assert one.database.read_bytes() == two.database.read_bytes()
    assert contents(one)[2] != contents(other)[2]


@pytest.mark.parametrize("bookings", [0, 1, 5, 333])
def test_has_as_many_bookings_as_asked(tmp_path: Path, bookings: int) -> None:
    """The number of bookings is the one asked for, however small."""
    assert len(contents(make_application(tmp_path, bookings=bookings))[2]) == bookings


def test_is_sound_without_trouble(sample: SampleApplication) -> None:
    """Without trouble the database has no broken key, reference or text."""
    assert ask(sample, "PRAGMA integrity_check") == [(b"ok",)]
    assert ask(sample, "PRAGMA foreign_key_check") == []
    assert all(v.decode() is not None for rows in contents(sample) for r in rows for v in r if isinstance(v, bytes))


def test_file_is_as_prisma_leaves_it(sample: SampleApplication) -> None:
    """The schema is the migration's text, in its order, and the migration is recorded with the file's checksum."""
    migration = next(sample.schema.parent.glob("migrations/*/migration.sql"))
    statements = [s.split("\n", 1)[1].strip() for s in migration.read_text().split("-- ")[1:]]
    made = ask(sample, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    assert [text.decode() + ";" for (text,) in made if isinstance(text, bytes)][1:] == statements
    row = ask(sample, 'SELECT "checksum", "migration_name" FROM "_prisma_migrations"')[0]
    assert row == (hashlib.sha256(migration.read_bytes()).hexdigest().encode(), migration.parent.name.encode())


def test_datetimes_are_in_three_forms_in_one_column(sample: SampleApplication) -> None:
    """Columns of bookings mix integer milliseconds, ISO text and CURRENT_TIMESTAMP's text, and nothing else."""
    for column in ("date", "startTime", "endTime", "createdAt"):
        forms = set()
        for (value,) in ask(sample, f'SELECT "{column}" FROM "Booking"'):
            text = value.decode() if isinstance(value, bytes) else ""
            forms.add("ms" if isinstance(value, int) else "iso" if ISO.fullmatch(text) else "plain")
            assert isinstance(value, int) or ISO.fullmatch(text) or PLAIN.fullmatch(text)
        assert forms == {"ms", "iso", "plain"}, column


def test_texts_are_hard(sample: SampleApplication) -> None:
    """There are NULLs, empty texts, line breaks, tabs, quotes, backslashes, emoji and control characters."""
    notes = [row[0] for row in ask(sample, 'SELECT "notes" FROM "Booking"')]
    text = b"|".join(n for n in notes if isinstance(n, bytes)).decode()
    assert None in notes
    assert b"" in notes
    for sign in ("\n", "\r\n", "\t", "'", '"', "\\N", "\\.", "💆", "\u200d", "\x01", "<script>"):
        assert sign in text, sign


def test_bookings_stand_on_the_edges_of_summer_time(sample: SampleApplication) -> None:
    """Some bookings begin in the milliseconds around Helsinki's changes of the clock, and in the doubled hour."""
    starts = {row[0] for row in ask(sample, 'SELECT "startTime" FROM "Booking"')}
    assert {1711846799999, 1711846800000, 1729990799999, 1729990800000} <= starts
    half_past_three = [1729989000000, 1729992600000]
    assert {helsinki.to_wall(t) for t in half_past_three} == {1729999800000}


def test_cancellation_keys_are_unique_or_missing(sample: SampleApplication) -> None:
    """The nullable unique column holds many NULLs and no value twice."""
    (row,) = ask(sample, 'SELECT count(*), count("cancellationId"), count(DISTINCT "cancellationId") FROM "Booking"')
    total, given, different = row
    assert given == different
    assert total != given


def test_files_are_private(sample: SampleApplication) -> None:
    """Everything in the folder is the owner's only."""
    for path in sample.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_every_trouble_is_told_and_made(tmp_path: Path) -> None:
    """All troubles together: a lacking column, two orphans, two NULs, one broken text, one text as number."""
    application = make_application(tmp_path, trouble=tuple(TROUBLES))
    columns = [row[1] for row in ask(application, 'PRAGMA table_info("Service")')]
    assert b"order" not in columns
    assert re.search(r"^\s+order\s+Int", application.schema.read_text(), re.MULTILINE)
    assert len(ask(application, "PRAGMA foreign_key_check")) == 2
    assert len(ask(application, """SELECT 1 FROM "Booking" WHERE instr(CAST("notes" AS BLOB), x'00')""")) == 2
    names = [n for (n,) in ask(application, 'SELECT "customerName" FROM "Booking"') if isinstance(n, bytes)]
    assert sum(n.decode(errors="replace").encode() != n for n in names) == 1
    texts = ask(application, """SELECT "duration" FROM "Service" WHERE typeof("duration") = 'text'""")
    assert texts == [(b"sixty",)]
    mark = read_mark(application.folder)
    assert mark is not None
    assert mark.trouble == tuple(TROUBLES)


def test_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """An unknown trouble, too few bookings for trouble and a folder in use are refused before anything is written."""
    with pytest.raises(UsageError, match="flood"):
        make_application(tmp_path, trouble=("flood",))
    with pytest.raises(UsageError, match="few"):
        make_application(tmp_path, bookings=3, trouble=("nul",))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".env").write_text("SECRET=1")
    with pytest.raises(UsageError, match="already"):
        make_application(tmp_path)
    assert (tmp_path / ".env").read_text() == "SECRET=1"


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2024-03-31 02:59:59", "2024-03-31 00:59:59"),
        ("2024-03-31 04:00:00", "2024-03-31 01:00:00"),
        ("2024-10-27 02:59:59", "2024-10-26 23:59:59"),
        ("2024-10-27 03:30:00", "2024-10-27 00:30:00"),
        ("2024-10-27 04:00:00", "2024-10-27 02:00:00"),
        ("2030-01-01 00:00:00", "2029-12-31 22:00:00"),
    ],
)
def test_helsinki_knows_summer_time(wall: str, instant: str) -> None:
    """Helsinki is three hours ahead in summer and two in winter; of a doubled hour the first is meant."""
    assert helsinki.plain(helsinki.to_instant(_count(wall))) == instant
    assert helsinki.plain(helsinki.to_wall(_count(instant))) == wall


def _count(text: str) -> int:
    return helsinki.instant_of(datetime.fromisoformat(text).replace(tzinfo=UTC))
