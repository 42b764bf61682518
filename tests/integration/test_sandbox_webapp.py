"""The sample's web application: the same on SQLite and PostgreSQL, and honest when its database is silent."""

import json
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from zenni_tui.errors import StepFailed
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox import webapp
from zenni_tui.sandbox.bookings import COLUMNS
from zenni_tui.sandbox.detach import start_module
from zenni_tui.sandbox.sample import SampleApplication, make_application

TARGET_DDL = """
CREATE TABLE "Service" ("id" text PRIMARY KEY, "name" text NOT NULL, "duration" integer NOT NULL,
    "active" boolean NOT NULL DEFAULT true);
CREATE TABLE "Booking" ("id" text PRIMARY KEY, "serviceId" text NOT NULL REFERENCES "Service" ("id"),
    "customerName" text NOT NULL, "customerEmail" text NOT NULL, "customerPhone" text, "date" timestamp(3) NOT NULL,
    "startTime" timestamp(3) NOT NULL, "endTime" timestamp(3) NOT NULL, "status" text NOT NULL DEFAULT 'pending',
    "notes" text, "language" text NOT NULL DEFAULT 'fi', "cancellationId" text UNIQUE,
    "createdAt" timestamp(3) NOT NULL DEFAULT now(), "updatedAt" timestamp(3) NOT NULL);
INSERT INTO "Service" VALUES ('s1', 'Hieronta & "hoito"', 45, true);
"""
START = 2_000_000_000_000
WANTED = {
    "customerName": "Aino <b>Ström</b>",
    "customerEmail": "aino@esimerkki.fi",
    "startTime": "2033-05-18T06:33",
    "notes": "rivi 1\nrivi 2 'x' \\ 💆",
}

Answer = tuple[int, str]
Ask = Callable[..., Answer]


@pytest.fixture
def application(tmp_path: Path) -> SampleApplication:
    """Make a small sample."""
    return make_application(tmp_path / "app", bookings=40)


@pytest.fixture
def ask(application: SampleApplication) -> Iterator[Ask]:
    """Yield what asks the running application, which ends with the test."""
    start_module(webapp.MODULE, str(application.folder), "--detach")
    record = webapp.running(application.folder)
    assert record is not None

    def answer(path: str, body: bytes | None = None, **headers: str) -> Answer:
        request = urllib.request.Request(f"http://127.0.0.1:{record.port}{path}", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own address
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    yield answer
    webapp.stop(application.folder)
    assert webapp.running(application.folder) is None


@pytest.fixture
def target(server: sandbox.Server, database: dict[str, str]) -> str:
    """Make the application's tables in PostgreSQL and return their URL."""
    with psycopg.connect(make_conninfo(**database)) as session:
        session.execute(TARGET_DDL)
    return server.url(database["dbname"])


def move_to(application: SampleApplication, url: str) -> None:
    """Point .env to another database and have the application notice."""
    text = application.env.read_text().replace("file:./prisma/dev.db", url)
    application.env.write_text(text)
    webapp.reload(application.folder)


def book(ask: Ask, **fields: str) -> Answer:
    """Post a booking as JSON."""
    return ask("/bookings", json.dumps({**WANTED, **fields}).encode(), **{"Content-Type": "application/json"})


def first_service(application: SampleApplication) -> str:
    """Return a service's key."""
    with closing(sqlite3.connect(application.database)) as database:
        return str(database.execute('SELECT "id" FROM "Service" WHERE "duration" = 45').fetchone()[0])


def test_books_on_sqlite_as_prisma_would(application: SampleApplication, ask: Ask) -> None:
    """A booking lands in the file with integer milliseconds, midnight in Helsinki as its date, and a cuid."""
    status, answer = book(ask, serviceId=first_service(application))
    assert status == 201
    key = json.loads(answer)["id"]
    assert len(key) == 25
    with closing(sqlite3.connect(application.database)) as database:
        row = database.execute('SELECT * FROM "Booking" WHERE "id" = ?', (key,)).fetchone()
        journal = database.execute("PRAGMA journal_mode").fetchone()
    booking = dict(zip(COLUMNS, row, strict=True))
    assert booking["startTime"] == START - 20_000
    assert booking["endTime"] - booking["startTime"] == 45 * 60_000
    assert booking["date"] == 1_999_976_400_000
    assert booking["createdAt"] == booking["updatedAt"]
    assert abs(booking["createdAt"] / 1000 - time.time()) < 60
    assert (booking["notes"], booking["status"]) == (WANTED["notes"], "pending")
    assert journal == ("delete",)


def test_works_on_a_file_in_wal_mode_and_leaves_it_so(application: SampleApplication, ask: Ask) -> None:
    """The application works on a WAL file and does not change its journal mode."""
    with closing(sqlite3.connect(application.database)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        assert book(ask, serviceId=first_service(application))[0] == 201
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute('SELECT count(*) FROM "Booking"').fetchone() == (41,)


def test_moves_to_postgresql_on_sighup(application: SampleApplication, ask: Ask, target: str) -> None:
    """After a change of .env and SIGHUP the application reads and writes PostgreSQL, in UTC, with Prisma's URL."""
    move_to(application, f"{target}?schema=public&connection_limit=5")
    assert json.loads(ask("/health")[1]) == {"status": "ok", "database": "postgresql", "bookings": 0}
    assert book(ask, serviceId="s1")[0] == 201
    assert json.loads(ask("/health")[1])["bookings"] == 1
    with psycopg.connect(target) as session:
        row = session.execute("""SELECT "startTime"::text, "endTime"::text, "notes" FROM "Booking" """).fetchone()
    assert row == ("2033-05-18 03:33:00", "2033-05-18 04:18:00", WANTED["notes"])
    assert json.loads(ask("/bookings?limit=5")[1])[0]["startTime"] == "2033-05-18T03:33:00.000+00:00"
    page = ask("/")[1]
    assert "2033-05-18 06:33" in page
    assert "Aino &lt;b&gt;Ström&lt;/b&gt;" in page
    assert "Hieronta &amp; &quot;hoito&quot;" in page


def test_page_lists_the_next_bookings_of_every_form(application: SampleApplication, ask: Ask) -> None:
    """The page shows coming bookings whether stored as numbers or texts, the soonest first, everything escaped."""
    with closing(sqlite3.connect(application.database)) as database, database:
        database.execute('DELETE FROM "Booking" WHERE rowid > 3')
        for number, start in enumerate((START, "2033-05-19T03:33:20.000+00:00", "2033-05-17 03:33:20"), 1):
            database.execute(
                """UPDATE "Booking" SET "date" = ?, "startTime" = ?, "status" = 'pending' WHERE rowid = ?""",
                (start, start, number),
            )
    status, page = ask("/")
    assert status == 200
    days = ["2033-05-17 06:33", "2033-05-18 06:33", "2033-05-19 06:33"]
    assert sorted(days, key=page.index) == days
    assert "Siobhán O&#x27;Brien" in page
    assert "<script" not in page


def test_takes_the_form_and_leads_back(application: SampleApplication, ask: Ask) -> None:
    """The form's booking is taken and answered by the page itself."""
    form = urllib.parse.urlencode({**WANTED, "serviceId": first_service(application)}).encode()
    status, page = ask("/bookings", form)
    assert status == 200
    assert "41 varausta" in page


def test_refuses_what_is_no_booking(ask: Ask) -> None:
    """Missing fields, unknown services, broken times and JSON, NULs and foreign pages are refused, nothing stored."""
    assert book(ask)[0] == 400
    assert book(ask, serviceId="unknown")[0] == 400
    assert book(ask, serviceId="unknown", startTime="soon")[0] == 400
    assert book(ask, serviceId="unknown", notes="a\0b")[0] == 400
    assert ask("/bookings", b"{", **{"Content-Type": "application/json"})[0] == 400
    assert ask("/bookings", b"[]", **{"Content-Type": "application/json"})[0] == 400
    assert ask("/bookings", b"x=1", Origin="http://example.org")[0] == 403
    assert ask("/health", Host="example.org")[0] == 403
    assert ask("/nothing")[0] == 404
    assert json.loads(ask("/health")[1])["bookings"] == 40


def test_says_when_the_database_is_silent(application: SampleApplication, ask: Ask, target: str) -> None:
    """A missing file and an unreachable server give status 500 and a JSON error without the password."""
    application.database.rename(application.database.with_suffix(".away"))
    status, answer = ask("/health")
    assert status == 500
    assert "unable to open" in json.loads(answer)["error"]
    assert not application.database.exists()
    secret = urllib.parse.urlsplit(target).password or ""
    move_to(application, target.replace(secret, "wrong-secret"))
    status, answer = ask("/health")
    assert status == 500
    assert "password authentication failed" in answer
    assert "wrong-secret" not in answer


def test_stays_where_it_is_when_env_is_broken(application: SampleApplication, ask: Ask) -> None:
    """A DATABASE_URL of another kind is reported to who asked for the reload, and the application goes on."""
    with pytest.raises(StepFailed, match="stays"):
        move_to(application, "mysql://localhost/x")
    assert json.loads(ask("/health")[1])["database"] == "sqlite"


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ('DATABASE_URL="file:./a b.db"', "file:./a b.db"),
        ("export DATABASE_URL='postgresql://x#y'", "postgresql://x#y"),
        ("DATABASE_URL=file:./x.db # old", "file:./x.db"),
        ("DATABASE_URL=file:1\nDATABASE_URL=file:2", "file:2"),
        ("# DATABASE_URL=file:0\nXDATABASE_URL=1\nDATABASE_URL = file:3", "file:3"),
    ],
)
def test_reads_env_as_dotenv_does(tmp_path: Path, line: str, url: str) -> None:
    """Quotes, comments, export and repetitions in .env are understood."""
    (tmp_path / ".env").write_text(f"A=1\n{line}\nB=2\n")
    assert webapp.read_url(tmp_path) == url


def test_refuses_to_start_without_env(tmp_path: Path) -> None:
    """Without DATABASE_URL the application ends with the exit code of wrong usage."""
    done = subprocess.run(
        [sys.executable, "-m", webapp.MODULE, str(tmp_path)], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr


def test_app_json_is_private(application: SampleApplication, ask: Ask) -> None:
    """The file that names the application's pid and port is the owner's only."""
    assert ask("/health")[0] == 200
    assert stat.S_IMODE((application.folder / "app.json").stat().st_mode) == 0o600
