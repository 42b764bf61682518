"""A server with TLS, and databases and roles of it for single tests."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import certificates
import postgres17
import pytest
from climbing import AUTHORITY
from postgres17 import Postgres17


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres17]:
    """Yield a server with TLS."""
    with postgres17.running() as made:
        made.show(certificates.issued(AUTHORITY, "127.0.0.1"))
        yield made


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Return the file of the authority's certificate."""
    return str(AUTHORITY.write(tmp_path, "root")[0])


@pytest.fixture
def database(server: Postgres17) -> Iterator[str]:
    """Yield the name of a database of the test's own."""
    name = f"test_{secrets.token_hex(6)}"
    server.create_database(name)
    yield name
    server.drop_database(name)


@pytest.fixture
def role(server: Postgres17, database: str) -> Iterator[str]:
    """Yield the name of a plain role that may do all in its database; its password is its name."""
    name = f"role_{secrets.token_hex(6)}"
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'; GRANT ALL ON DATABASE {database} TO {name}")
    server.execute(f"GRANT ALL ON SCHEMA public TO {name}", database)
    yield name
    server.execute(f"DROP OWNED BY {name}", database)
    server.execute(f"REVOKE ALL ON DATABASE {database} FROM {name}; DROP ROLE {name}")
