"""The emergency card's commands do what they say, in both directions, typed by hand into a shell."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from support import Program
from switching import ENV, Application, can_write, killed, migrate

from zenni_tui.model.switching import Act

needs_shell = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3's shell is not installed")


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return an application of the test's own."""
    return Application(tmp_path / "app")


def typed(card: Path, section: int, database: dict[str, str], application: Application) -> None:
    """Type one section's commands into a shell."""
    parts = re.split(r"^## ", card.read_text(), flags=re.MULTILINE)
    commands = re.findall(r"^```sh\n(.*?)^```", parts[section], flags=re.MULTILINE | re.DOTALL)
    script = "set -eu\n" + "".join(commands)
    environment = os.environ | {"PGPASSWORD": database["password"], "PGSSLMODE": "disable"}
    done = subprocess.run(
        ["sh", "-c", script], env=environment, cwd=application.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stderr}"


@needs_shell
@pytest.mark.parametrize("meanwhile", ["nothing", "follow"])
def test_by_hand_to_the_old_side(
    program: Program,
    application: Application,
    database: dict[str, str],
    target_environment: dict[str, str],
    meanwhile: str,
) -> None:
    """After a death before the new side was started, section 1 lets the old one serve."""
    done = migrate(program, application, target_environment, "--meanwhile", meanwhile)
    killed(program, done.folder, target_environment, Act.FREEZE)
    assert not application.can_write()
    typed(done.folder / "emergency.md", 1, database, application)
    assert application.can_write()
    assert application.env.read_text() == ENV


@needs_shell
@pytest.mark.parametrize("meanwhile", ["nothing", "follow"])
def test_by_hand_to_the_new_side_and_back(
    program: Program,
    application: Application,
    database: dict[str, str],
    target_environment: dict[str, str],
    meanwhile: str,
) -> None:
    """Section 2 starts the new side, section 3 carries its writes back to the old file and lets that serve."""
    done = migrate(program, application, target_environment, "--meanwhile", meanwhile)
    killed(program, done.folder, target_environment, Act.GO_LIVE)
    card = done.folder / "emergency.md"
    assert database["password"] not in card.read_text()
    assert card.stat().st_mode & 0o077 == 0
    typed(card, 2, database, application)
    assert application.env.read_text().splitlines()[-1] == (
        f"DATABASE_URL=postgresql://{database['user']}:{database['password']}@{database['host']}:{database['port']}"
        f"/{database['dbname']}"
    )
    assert not application.can_write()
    with psycopg.connect(**database) as target:
        key = target.execute(
            'INSERT INTO "Booking" (service, start, note)'
            " VALUES ('a', '2026-05-01 10:00', E'it''s\\n\\\\n') RETURNING id"
        ).fetchone()
        target.execute("UPDATE \"Service\" SET name = 'Löyly', active = false WHERE id = 'a'")
        target.execute('DELETE FROM "Booking" WHERE id = 2')
        target.execute('INSERT INTO "Loose" VALUES (NULL, 2)')
    assert key == (3,)
    typed(card, 3, database, application)
    assert application.env.read_text() == ENV
    assert application.can_write()
    assert not can_write(database)
    assert application.rows("SELECT id, service, start, note FROM Booking ORDER BY id") == [
        (1, "a", 1767225600000, "first"),
        (3, "a", 1777629600000, "it's\n\\n"),
    ]
    assert application.rows("SELECT id, name, active, typeof(active) FROM Service ORDER BY id") == [
        ("a", "Löyly", 0, "integer"),
        ("b", "Hieronta", 0, "integer"),
    ]
    assert application.rows("SELECT * FROM Loose ORDER BY n") == [("x", 1), ("x", 1), (None, 2)]
    assert [m[:2] for m in application.marks()[-2:]] == [["deploy", "old"], ["restart", "old"]]
