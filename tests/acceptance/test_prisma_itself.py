"""What Prisma itself says of the proposal: it reads the schemas, finds no difference, and has nothing to deploy."""

import hashlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from prisma_cli import Prisma, installed
from support import Outcome, Program

from zenni_tui.sandbox.sample import SampleApplication
from zenni_tui.sandbox.server import Server

GOLDEN = Path(__file__).parents[1] / "unit" / "test_application_updates_golden"
DECISIONS = """
[schema.casts]
"Service.currency" = "char(3)"
"Service.price" = "numeric(10,2)"
"Booking.customerName" = "varchar(200)"
"Booking.createdAt" = "timestamp(6)"

[schema.repairs]
"review_new_column/Service" = "column_add:metadata"
"review_closed_set/Booking/status" = "enum:pending,confirmed,cancelled,completed,no-show"
"review_query_index/Booking/status" = "index_add"
"review_query_index/Booking/serviceId" = "index_add"
"""
DIFF = ("migrate", "diff", "--from-config-datasource", "--to-schema", "prisma/schema.prisma", "--exit-code", "--script")


@pytest.fixture(scope="session")
def prisma() -> Iterator[Prisma]:
    """Yield Prisma's command line."""
    with installed() as made:
        yield made


@dataclass(frozen=True)
class Shop:
    """A sample application of the test's own, and the database that it is to move to."""

    program: Program
    folder: Path
    database: dict[str, str]

    def url(self, database: str = "") -> str:
        """Return where the target is, or another database of its server."""
        d = self.database
        return f"postgresql://{d['user']}:{d['password']}@{d['host']}:{d['port']}/{database or d['dbname']}"

    def rehearsed(self, *, baseline: bool = True) -> Outcome:
        """Rehearse into the database with decisions, and leave the result there."""
        config = f"[application]\nbaseline = {str(baseline).lower()}\n{DECISIONS}"
        (self.program.home / "config.toml").write_text(config)
        source = str(self.folder / "prisma" / "dev.db")
        outcome = self.program.run("rehearse", "--source", source, "--keep", environment=self.environment)
        assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration
        chosen = {f["code"] for f in outcome.document["findings"] if f["chosen"]}
        assert {"review_new_column", "review_closed_set", "review_query_index"} <= chosen
        return outcome

    def patched(self) -> Path:
        """Carry the proposal out; returns the baseline's file."""
        outcome = self.program.run("updates", environment=self.environment)
        assert outcome.code == 0, outcome.narration
        file = Path(outcome.document["where"]) / "updates.patch"
        subprocess.run(["git", "apply", str(file)], cwd=self.folder, check=True)
        (baseline,) = (self.folder / "prisma" / "migrations").glob("*_baseline/migration.sql")
        return baseline

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that name the target."""
        return {"ZENNI_TARGET_URL": self.url()}

    def history(self, database: str = "") -> list[tuple[str, str]]:
        """Return Prisma's history of a database."""
        with psycopg.connect(self.url(database)) as connection:
            return connection.execute("SELECT migration_name, checksum FROM _prisma_migrations").fetchall()


@pytest.fixture
def shop(program: Program, sample: SampleApplication, database: dict[str, str]) -> Shop:
    """Return a sample application and an empty database."""
    shutil.copytree(sample.folder, program.home / "shop")
    return Shop(program, program.home / "shop", database)


def test_prisma_finds_no_difference(shop: Shop, prisma: Prisma) -> None:
    """Patched, the schema is valid and asks for just what the run has made of all that was chosen."""
    shop.rehearsed()
    shop.patched()
    assert prisma.run(shop.folder, "validate", DIRECT_URL=shop.url())[0] == 0
    code, said = prisma.run(shop.folder, *DIFF, DIRECT_URL=shop.url())
    assert (code, "This is an empty migration" in said) == (0, True), said
    with psycopg.connect(shop.url()) as connection:
        connection.execute('DROP INDEX "Booking_status_idx"')
    code, said = prisma.run(shop.folder, *DIFF, DIRECT_URL=shop.url())
    assert (code, 'CREATE INDEX "Booking_status_idx"' in said) == (2, True)


def test_prisma_has_nothing_to_deploy(shop: Shop, prisma: Prisma) -> None:
    """With the baseline entered Prisma calls the database up to date; undone, its history is gone as well."""
    outcome = shop.rehearsed()
    baseline = shop.patched()
    assert shop.history() == [(baseline.parent.name, hashlib.sha256(baseline.read_bytes()).hexdigest())]
    assert (outcome.folder / "baseline.sql").read_bytes() == baseline.read_bytes()
    code, said = prisma.run(shop.folder, "migrate", "status", DIRECT_URL=shop.url())
    assert (code, "Database schema is up to date" in said) == (0, True), said
    code, said = prisma.run(shop.folder, "migrate", "deploy", DIRECT_URL=shop.url())
    assert (code, "No pending migrations to apply" in said) == (0, True), said
    undone = shop.program.run("rollback", environment=shop.environment)
    assert undone.code == 5, undone.narration
    with psycopg.connect(shop.url()) as connection:
        assert connection.execute("SELECT to_regclass('_prisma_migrations')").fetchone() == (None,)


def test_the_checksum_is_prismas(shop: Shop, prisma: Prisma, server: Server) -> None:
    """On an empty database Prisma deploys the baseline, keeps the very checksum of ours, and sees no difference."""
    shop.rehearsed()
    baseline = shop.patched()
    server.create_database("empty_one")
    try:
        code, said = prisma.run(shop.folder, "migrate", "deploy", DIRECT_URL=shop.url("empty_one"))
        assert code == 0, said
        assert shop.history("empty_one") == shop.history()
        assert shop.history()[0][0] == baseline.parent.name
        assert prisma.run(shop.folder, *DIFF, DIRECT_URL=shop.url("empty_one"))[0] == 0
    finally:
        server.drop_database("empty_one")


def test_the_patched_code_runs(shop: Shop, prisma: Prisma) -> None:
    """Prisma's client, made from the patched schema, runs the patched code: it finds what the old one found."""
    shop.rehearsed()
    shop.patched()
    code, said = prisma.run(shop.folder, "generate", DIRECT_URL=shop.url())
    assert code == 0, said
    calls = [("shown", []), ("massages", []), ("newestTags", []), ("keepTag", [1, "uusi"]), ("openedByMonth", [])]
    services = "app/api/services/route.ts"
    found = prisma.call(shop.folder, services, calls, DATABASE_URL=shop.url())
    with closing(sqlite3.connect(shop.folder / "prisma" / "dev.db")) as old:
        shown = old.execute('SELECT "id", "name" FROM "Service" WHERE "active" = 1 ORDER BY "order"').fetchall()
        massages = old.execute(
            """SELECT "id" FROM "Service" WHERE "nameEn" GLOB '*massage*' ORDER BY "id" """
        ).fetchall()
        tags = old.execute('SELECT "id", "label" FROM "Tag" ORDER BY rowid DESC').fetchall()
        (opened,) = old.execute('SELECT count(*) FROM "Availability"').fetchone()
        pattern = old.execute('SELECT lower(substr("customerName", 2, 3)) FROM "Booking" LIMIT 1').fetchone()[0]
        known = old.execute('SELECT "id" FROM "Booking" WHERE "customerName" LIKE ? ORDER BY 1', (f"%{pattern}%",))
        bookings = [i for (i,) in known]
    assert [(r["id"], r["name"]) for r in found[0]] == shown
    assert [r["id"] for r in found[1]] == [i for (i,) in massages]
    assert [(r["id"], r["label"]) for r in found[2]] == tags
    assert (found[3], sum(r["n"] for r in found[4])) == (1, opened)
    (searched,) = prisma.call(
        shop.folder, "app/api/bookings/route.ts", [("search", [pattern])], DATABASE_URL=shop.url()
    )
    assert (len(shown), len(tags), len(bookings)) > (0, 0, 0)
    assert [r["id"] for r in searched] == bookings


def test_a_history_of_the_applications_own_is_kept(shop: Shop) -> None:
    """Where the target has a history already, nothing is entered in it, which is told, and the way back keeps it."""
    rows = [("20250101000000_other", "0" * 64)]
    with psycopg.connect(shop.url()) as connection:
        connection.execute(
            "CREATE TABLE _prisma_migrations (id text, checksum text, migration_name text,"
            " finished_at timestamptz DEFAULT now(), rolled_back_at timestamptz)"
        )
        connection.execute("INSERT INTO _prisma_migrations (migration_name, checksum) VALUES (%s, %s)", rows[0])
    outcome = shop.rehearsed()
    (check,) = (c for c in outcome.step("index")["checks"] if c["name"] == "baseline")
    assert (check["ok"], "a history of 1 migrations" in check["found"]) == (None, True)
    assert shop.history() == rows
    assert shop.program.run("rollback", environment=shop.environment).code == 5
    assert shop.history() == rows


def test_a_baseline_needs_a_prisma_schema(shop: Shop) -> None:
    """Without Prisma there is no history to enter anything in: it is said before anything is begun."""
    (shop.program.home / "config.toml").write_text('[application]\nbaseline = true\n[source]\nprisma_schema = "none"\n')
    outcome = shop.program.run("plan", "--source", str(shop.folder / "prisma" / "dev.db"))
    assert outcome.code == 2
    assert "no Prisma schema" in outcome.narration


def test_without_the_choice_there_is_no_history(shop: Shop) -> None:
    """The baseline is entered when the config says so, and not otherwise."""
    shop.rehearsed(baseline=False)
    with psycopg.connect(shop.url()) as connection:
        assert connection.execute("SELECT to_regclass('_prisma_migrations')").fetchone() == (None,)


@pytest.mark.parametrize(("version", "schema"), [(5, "prisma/schema.prisma"), (6, "prisma/schema")])
def test_older_versions_read_what_is_proposed(version: int, schema: str, prisma: Prisma, tmp_path: Path) -> None:
    """Prisma 5 and 6 themselves call the patched schemas of their golden projects valid."""
    project = tmp_path / "project"
    shutil.copytree(GOLDEN / str(version) / "before", project)
    patch = GOLDEN / str(version) / "expected.patch"
    subprocess.run(["git", "apply", str(patch)], cwd=project, check=True)
    urls = dict.fromkeys(("DATABASE_URL", "SHOP_DATABASE_URL", "DIRECT_URL"), "postgresql://a/b")
    code, said = prisma.run(project, "validate", "--schema", schema, version=version, **urls)
    assert (code, "valid" in said) == (0, True), said
