"""What tests share: one embedded PostgreSQL for the whole session, and a fresh database for each test."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from zenni_tui.sandbox import server as sandbox

# How long an example takes is the machine's business: one that is held up for a moment falsifies nothing. The same code
# is tried with the same examples, unless new ones are looked for.
settings.register_profile(
    "ours",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="ZENNI_RANDOM" not in os.environ,
)
settings.load_profile("ours")
_SETTINGS = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the session's runs and servers away from the user's own."""
    home = tmp_path_factory.mktemp("state")
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(home)
    yield home
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="session", autouse=True)
def nobodys_git() -> Iterator[None]:
    """Let git heed neither the settings of whoever runs the tests nor a repository that it was started from."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _SETTINGS:
            patch.setenv(name, os.devnull)
        for name in [name for name in os.environ if name.startswith("GIT_") and name not in _SETTINGS]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server(state_home: Path) -> Iterator[sandbox.Server]:
    """Yield one embedded PostgreSQL for all tests; it is gone when the session ends."""
    assert state_home.is_dir()
    name = f"tests-{secrets.token_hex(4)}"
    with sandbox.start(name) as running:
        yield running
    sandbox.remove(name)


@pytest.fixture
def database(server: sandbox.Server) -> Iterator[dict[str, str]]:
    """Yield a database of the test's own, as libpq's connection parameters."""
    name = f"test_{secrets.token_hex(6)}"
    server.create_database(name)
    yield server.conninfo(name)
    server.drop_database(name)
