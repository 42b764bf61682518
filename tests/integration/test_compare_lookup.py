"""The target's rows by key, on a real PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from zenni_tui.compare.lookup import Lookup, layout
from zenni_tui.compare.session import pin_session
from zenni_tui.model.plan import ColumnPlan, Kind, TablePlan, TargetType

Target = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def target(database: dict[str, str]) -> Iterator[Target]:
    """Yield a pinned session of the test's own database."""
    with psycopg.connect(**database, autocommit=True) as connection:  # type: ignore[arg-type]
        pin_session(connection)
        yield connection


@pytest.mark.parametrize("name", ["k", "v", "t", "value", "k0"])
def test_only_the_rows_asked_for_are_fetched(target: Target, name: str) -> None:
    """A key column may have any name; it is never taken for the keys asked for."""
    target.execute(f"CREATE TABLE t ({name} text PRIMARY KEY, b text)".encode())
    target.execute("INSERT INTO t VALUES ('a', 'x'), ('b', 'x'), ('c', 'x')")
    columns = (ColumnPlan(name, name, TargetType(Kind.TEXT)), ColumnPlan("b", "b", TargetType(Kind.TEXT)))
    table = TablePlan("t", "t", columns)
    shape = layout(target, "public", table)
    for key in ((0,), (1, 0)):
        asked = [[("x", "b")[position == 0]] for position in key]
        assert Lookup(target, shape, table, key).ask(asked, asked).fetchall() == [("b", "x")]
