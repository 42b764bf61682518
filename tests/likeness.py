"""A likeness of a Supabase project in a PostgreSQL of ours: its roles, schemas, default privileges and timeouts."""

import secrets
from typing import Any, NamedTuple

import psycopg
from postgres17 import Postgres17

_ROLES = """
CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD 'authenticator';
GRANT anon, authenticated, service_role TO authenticator;
"""
_OWNER = """
CREATE ROLE {role} LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD '{password}';
GRANT pg_monitor, pg_signal_backend TO {role};
GRANT anon, authenticated, service_role TO {role} WITH ADMIN OPTION;
GRANT ALL ON DATABASE {database} TO {role};
ALTER DATABASE {database} SET statement_timeout = '2min';
"""
_INSIDE = """
CREATE SCHEMA auth; CREATE SCHEMA storage; CREATE SCHEMA realtime; CREATE SCHEMA extensions;
CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
INSERT INTO auth.users VALUES ('00000000-0000-0000-0000-000000000001', 'ann@example.org');
CREATE TABLE storage.objects (id uuid PRIMARY KEY, name text);
CREATE EXTENSION pg_stat_statements SCHEMA extensions;
GRANT USAGE ON SCHEMA auth, storage, realtime, extensions TO {role};
GRANT ALL ON SCHEMA public TO {role};
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA public
    GRANT ALL ON TABLES TO {role}, anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE {role} IN SCHEMA public
    GRANT ALL ON SEQUENCES TO {role}, anon, authenticated, service_role;
"""


class Project(NamedTuple):
    """One project: its database, and the role that Supabase gives to its customer."""

    database: str
    role: str
    password: str


def make_project(server: Postgres17) -> Project:
    """Make a project; the server may have several, which share the platform's roles."""
    name = secrets.token_hex(5)
    made = Project(f"project_{name}", f"owner_{name}", secrets.token_urlsafe(16))
    server.create_database(made.database)
    with server.session() as session:
        if not session.execute("SELECT 1 FROM pg_roles WHERE rolname = 'anon'").fetchone():
            session.execute(_ROLES.encode())
        session.execute(_OWNER.format(**made._asdict()).encode())
    server.execute(_INSIDE.format(**made._asdict()), made.database)
    return made


def seen_by(session: psycopg.Connection[Any], role: str) -> int | None:
    """Return how many owners a role sees, None when it isn't let at the table."""
    session.execute(f"SET ROLE {role}".encode())
    try:
        row = session.execute("SELECT count(*) FROM owner").fetchone()
        return int(row[0]) if row else None
    except psycopg.errors.InsufficientPrivilege:
        return None
    finally:
        session.execute("RESET ROLE")
