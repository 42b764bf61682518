"""What acceptance tests share."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from psycopg.conninfo import make_conninfo
from support import Program

from zenni_tui.sandbox.sample import SampleApplication, make_application


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """Yield the program; engines that a failing test left behind are ended."""
    made = Program(tmp_path)
    yield made
    for process in made.engines():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture
def target_environment(database: dict[str, str]) -> dict[str, str]:
    """Return the environment that names the test's database, password included."""
    return {"ZENNI_TARGET_URL": make_conninfo("", **database)}


@pytest.fixture
def target_url(database: dict[str, str]) -> str:
    """Return the test's database as an option may name it: without the password."""
    return f"postgresql://{database['user']}@{database['host']}:{database['port']}/{database['dbname']}"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleApplication:
    """Return a small sample application."""
    return make_application(tmp_path_factory.mktemp("sample"), bookings=300)


@pytest.fixture(scope="session")
def make_sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., SampleApplication]:
    """Return a function that makes a sample application of its own."""

    def make(**options: Any) -> SampleApplication:
        return make_application(tmp_path_factory.mktemp("sample"), **options)

    return make


@pytest.fixture(scope="session")
def make_big(make_sample: Callable[..., SampleApplication]) -> str:
    """Return the path of a sample that takes some seconds to copy."""
    return str(make_sample(bookings=150_000).database)
