"""Tables that the application's own migrations have made in the target are loaded as they are."""

import psycopg
from support import Program

from zenni_tui.sandbox.sample import SampleApplication


def _shape(database: dict[str, str]) -> list[tuple[str, ...]]:
    with psycopg.connect(**database) as target:
        return target.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
            " UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " ORDER BY 1, 2, 3"
        ).fetchall()


def _migrated(program: Program, sample: SampleApplication, database: dict[str, str]) -> None:
    ddl = program.start("plan", "--ddl", "--source", str(sample.database)).communicate(timeout=60)[0]
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute(ddl.replace('CREATE SCHEMA "public";', "").replace("CREATE SCHEMA public;", ""))


def test_empty_tables_are_taken_and_given_back(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Empty tables with keys and foreign keys are filled in any order, verified, and given back empty as they were."""
    _migrated(program, sample, database)
    before = _shape(database)
    assert before
    kept = program.run("rehearse", "--source", str(sample.database), "--keep", environment=target_environment)
    assert (kept.code, kept.document["verdict"]) == (0, "passed"), kept.narration
    assert _shape(database) == before
    back = program.run("rollback", environment=target_environment)
    assert back.code == 5, back.narration
    assert _shape(database) == before
    with psycopg.connect(**database) as target:
        assert target.execute('SELECT count(*) FROM "Booking"').fetchone() == (0,)


def test_the_catalogue_decides_the_types(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A column that the migrations made another fitting type is loaded as that type; one that is missing blocks."""
    _migrated(program, sample, database)
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute('ALTER TABLE "Booking" ALTER COLUMN "createdAt" TYPE timestamptz(3)')
    kept = program.run("rehearse", "--source", str(sample.database), "--keep", environment=target_environment)
    assert kept.code == 0, kept.narration
    program.run("rollback", environment=target_environment)
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute('ALTER TABLE "Booking" DROP COLUMN "notes"')
    refused = program.run("rehearse", "--source", str(sample.database), environment=target_environment)
    assert refused.code == 3
    finding = refused.finding("target_table_differs")
    assert (finding["table"], finding["column"]) == ("Booking", "notes")
