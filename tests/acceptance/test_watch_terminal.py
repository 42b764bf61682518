"""The watch in a real terminal of 80x24, over a line that goes dead under it."""

from collections.abc import Iterator

import psycopg
import pytest
from support import Program
from terminal import Terminal

from zenni_tui.sandbox.proxy import Line, Proxy, Way


@pytest.fixture
def proxy(database: dict[str, str]) -> Iterator[Proxy]:
    """Yield a line to the server that can be spoilt."""
    with Proxy(int(database["port"])) as proxy:
        yield proxy


def test_a_dead_line_is_an_alarm_and_holds_nobody_up(program: Program, database: dict[str, str], proxy: Proxy) -> None:
    """The screen says that the target is away, clears that when it is back, and `q` leaves at once in between."""
    with psycopg.connect(**database, autocommit=True) as application:
        application.execute("CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT small CHECK (a < 9) NOT VALID")
    program.environment |= {"PGPASSWORD": database["password"]}
    url = f"postgresql://{database['user']}@127.0.0.1:{proxy.port}/{database['dbname']}"
    terminal = Terminal(program, "watch", "--target", url)
    try:
        terminal.wait("1 RAISED not_valid", "ALERT  constraints", "q leave")
        proxy.line = Line(Way.HOLD)
        terminal.press("r")
        terminal.wait("2 RAISED", "unreachable")
        proxy.line = Line()
        terminal.press("r")
        terminal.wait("1 RAISED not_valid")
        proxy.line = Line(Way.HOLD)
        terminal.press("rq")
        assert terminal.code == 0
        assert "Traceback" not in terminal.text
        assert "destroyed" not in terminal.text
    finally:
        terminal.kill()
