"""connection.md: where the database is, by which URLs and variables the application reaches it, where secrets live."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from zenni_tui.model.application import Which
from zenni_tui.model.switching import serving
from zenni_tui.report.document import Block, Bullets, Code, Heading, Line, Mono, Paragraph, Table
from zenni_tui.target import supabase

from .facts import Facts, origin, quoted

NAME = "connection.md"
SECRET = "[PASSWORD]"  # noqa: S105 - stands in the place of one


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document."""
    yield Heading(1, "Connection and environment")
    yield origin(facts)
    yield Heading(2, "Where the database is")
    yield Table(("", ""), tuple(_data(facts)))
    yield Heading(2, "URLs")
    yield Table(("for", "URL"), tuple((words, Mono(url)) for words, url in urls(facts).items()))
    yield Paragraph(
        (
            Mono(SECRET),
            " stands for the password, percent-encoded where it holds anything but letters, digits and ",
            Mono("-._~"),
            ".",
        )
    )
    yield from _variables(facts)
    yield Heading(2, "Where the secrets live")
    yield Bullets(tuple(_secrets(facts)))
    yield Heading(2, "To try it")
    yield Code(f"psql {shell_target(facts)} -c 'SELECT version()'", "sh")


def _data(facts: Facts) -> Iterable[tuple[Line, ...]]:
    t = facts.target
    yield "host", Mono(t.host)
    yield "port", Mono(str(t.port))
    yield "database", Mono(t.database)
    yield "schema", Mono(facts.plan.schema)
    yield "role of the migration", Mono(t.user)
    yield "role of the application", Mono(facts.role)
    yield "server", f"PostgreSQL {t.server_version}"
    for name, words in (("tls", "encryption"), ("pooler", "pooler"), ("limits", "sessions"), ("line", "line")):
        if facts.check(name):
            yield words, facts.check(name)
    if facts.state.actions:
        yield "at the time of writing", serving(facts.state).words
    if facts.throwaway:
        yield "note", "an embedded PostgreSQL of the rehearsal; the live one's data come with its migration"


def urls(facts: Facts) -> Mapping[str, str]:
    """Return the application's URLs by what they are for, with a mark in the password's place."""
    t = facts.target
    known = supabase.application_urls(t.host, t.user, t.database, facts.request.application_role)
    if known is not None:
        return {"the application (pooled, transaction mode)": known[0], "migrations and sessions (direct)": known[1]}
    role, database = quote(facts.role, safe=""), quote(t.database, safe="")
    host = f"[{t.host}]" if ":" in t.host else quote(t.host, safe=",.-")
    schema = "" if facts.plan.schema == "public" else f"?schema={quote(facts.plan.schema, safe='')}"
    plain = f"postgresql://{role}:{SECRET}@{host}:{t.port}/{database}{schema}"
    return {"the application and migrations (no pooler in between was seen)": plain}


def shell_target(facts: Facts, database: str = "") -> str:
    """Return libpq's words for the database, or another one there, for a shell: psql asks for the password."""
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - the drivers load slowly, and few verbs want documents

    t = facts.target
    return quoted(make_conninfo("", host=t.host, port=t.port, dbname=database or t.database, user=t.user))


def _variables(facts: Facts) -> Iterable[Block]:
    application = facts.request.application
    yield Heading(2, "Environment variables")
    rows: list[tuple[Line, ...]] = []
    for which in (Which.NEW, Which.OLD):
        for name, value in application.side(which).settings.items():
            # What isn't made of references may itself be secret, so that only its name is told.
            rows.append((Mono(name), Mono(value) if "${" in value else "set", f"the {which} side"))
    if rows:
        yield Table(("variable", "value", "when"), tuple(rows))
    else:
        yield Paragraph(
            (
                "The configuration names none (",
                Mono("[application.new] settings"),
                "); Prisma reads ",
                Mono("DATABASE_URL"),
                ".",
            )
        )
    yield Paragraph("For zenni-tui itself: ZENNI_SOURCE, ZENNI_TARGET_URL, PGPASSWORD, PGPASSFILE, XDG_STATE_HOME.")


def _secrets(facts: Facts) -> Iterable[Line]:
    for file in facts.request.application.env_files:
        yield "The application's settings, with the URL and its password: ", Mono(file)
    found = facts.project
    if not facts.request.application.env_files and found and found.settings:
        yield "The application's settings: ", Mono(str(found.settings))
    if facts.upkeep.config:
        yield "zenni-tui's configuration: ", Mono(facts.upkeep.config), ", mode 0600 when it holds a password"
    yield (
        "libpq's password file for psql, pg_dump and zenni-tui: ",
        Mono("~/.pgpass"),
        " (",
        Mono("host:port:database:user:password"),
        ", mode 0600)",
    )
    yield "The database's password is in no run directory, report or dump, and not in these documents."
