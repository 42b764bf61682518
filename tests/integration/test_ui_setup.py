"""The first run without a config: finds what lies nearby, tests source and target, and writes the config file."""

import sqlite3
import stat
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from ui_pilot import stands_whole, text, wait_for, wait_until

from zenni_tui import cli
from zenni_tui.application import discovery
from zenni_tui.engine import client
from zenni_tui.errors import NotReady, UsageError
from zenni_tui.model.runbook import RunKind
from zenni_tui.ui.app import ZenniApp
from zenni_tui.verbs import orders, setup, starting

CLOSED = "postgresql://app:hush%2Fhush@127.0.0.1:1/zenni?schema=public&sslmode=disable"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project's folder, where the program is started: two databases, packages, settings."""
    for place in ("prisma/dev.db", "old.sqlite", "node_modules/pkg/theirs.db"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as file:
            file.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    (tmp_path / "notes.db").write_text("no database")
    (tmp_path / ".env").write_text('DATABASE_URL="file:./dev.db"\n')
    (tmp_path / ".env.production").write_text(f'DATABASE_URL="{CLOSED}"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def _app() -> ZenniApp:
    options = cli.Options()
    return ZenniApp(starting.offer_of(cli.settings_of(options), options))


def test_the_applications_own_file_comes_first_and_packages_are_passed_over(project: Path) -> None:
    """What a settings file names is the application's; what is no database is not offered."""
    found = discovery.look_around(project)
    assert [s.path.name for s in found.sources] == ["dev.db", "old.sqlite"]
    assert [s.named for s in found.sources] == [True, False]
    assert found.targets == (CLOSED,)


async def test_source_and_target_are_named_tested_and_kept_by_keys(project: Path, database: dict[str, str]) -> None:
    """Against a real server: every check is shown, the file is its owner's alone, and it is what holds then."""
    url = f"postgresql://{database['user']}@{database['host']}:{database['port']}/{database['dbname']}"
    (project / ".env.production").write_text(f'DATABASE_URL="{setup.joined(url, database["password"])}"\n')
    async with _app().run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "set up")
        await pilot.press("enter")
        await wait_for(pilot, "in .env")
        await pilot.press("enter")
        await wait_for(pilot, "From where, where to?")
        assert url[:40] in text(pilot)
        assert database["password"] not in text(pilot)
        await pilot.press("enter")
        await wait_for(pilot, "Both answer.")
        await pilot.press("escape")
        await wait_for(pilot, "Enter take this file")
        assert not (project / "config.toml").exists()
        await pilot.press("enter", "enter")
        await wait_for(pilot, "Both answer.")
        await pilot.press("y")
        await wait_for(pilot, "Written: config.toml")
        await wait_for(pilot, "migrate")
        assert database["password"] not in text(pilot)
    written = project / "config.toml"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert tomllib.loads(written.read_text())["source"]["path"] == str(project / "prisma" / "dev.db")
    settings = cli.settings_of(cli.Options())
    assert settings.password == database["password"]


def test_what_can_not_be_switched_over_is_said_before_it_is_migrated(project: Path, database: dict[str, str]) -> None:
    """Without [application] the first screen says so, and a switch is refused before anything of the run changes."""
    url = f"postgresql://{database['user']}@{database['host']}:{database['port']}/{database['dbname']}"
    first = setup.FirstRun(project, lambda: starting.offer_of(cli.settings_of(cli.Options()), cli.Options()))
    offer = first.write(str(project / "old.sqlite"), url, database["password"])
    assert "[application] in config.toml is empty" in " ".join(offer.hints)
    settings = cli.settings_of(cli.Options())
    folder = client.create(orders.request_for(RunKind.MIGRATE, settings, cli.Options()), project / "run")
    before = sorted(folder.iterdir())
    with pytest.raises(NotReady, match="Nothing is known of how the application is switched over"):
        offer.switch(folder, {"word": "SWITCH"})
    assert sorted(folder.iterdir()) == before


async def test_a_target_that_does_not_answer_is_explained_and_nothing_is_kept_by_itself(project: Path) -> None:
    """The rung that broke and what to do stand on the screen; the safe answer keeps nothing."""
    async with _app().run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "set up")
        await pilot.press("enter")
        await wait_for(pilot, "in .env")
        await pilot.press("enter")
        await wait_for(pilot, "From where, where to?")
        await pilot.press("enter")
        await wait_for(pilot, "trouble at: tcp")
        await pilot.press("enter")
        await wait_for(pilot, "Nothing listens at that address and port.")
        stands_whole(pilot)
    assert not (project / "config.toml").exists()


def test_a_password_is_parted_from_its_url_and_put_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs that mean something in a URL survive; what only Prisma understands is left out; ~ is one's home."""
    monkeypatch.setenv("HOME", str(project))
    plain, password = setup.parted(CLOSED)
    assert (plain, password) == ("postgresql://app@127.0.0.1:1/zenni?sslmode=disable", "hush/hush")
    assert setup.parted(setup.joined(plain, "a@b:c/d%?")) == (plain, "a@b:c/d%?")
    first = setup.FirstRun(project, lambda: starting.offer_of(cli.settings_of(cli.Options()), cli.Options()))
    checks = first.test("~/old.sqlite", "", "")
    assert checks[0].ok, checks
    first.write('od"d\\file.db', plain, "x")
    assert cli.settings_of(cli.Options()).source == str(project / 'od"d\\file.db')
    with pytest.raises(UsageError, match="already"):
        first.write("a", "", "")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("", "A password needs a target"),
        ("db.example.org", "Write the target as postgresql://user@host:5432/database."),
        ("mysql://root@127.0.0.1/shop", "mysql:// is another kind of server."),
        ("postgresql://app@127.0.0.1/zenni?schema=salon", 'schema = "NAME"'),
        ("postgresql://app@127.0.0.1/zenni?sslmod=require", "invalid URI query parameter"),
        ("postgresql://app@[::1/zenni", "Write it as postgresql://user@host:5432/database"),
    ],
)
async def test_a_target_that_can_not_be_meant_is_answered_in_its_form(project: Path, target: str, said: str) -> None:
    """Nothing is tested or kept of it; the box says what is wrong and stays."""
    (project / ".env.production").unlink()
    async with _app().run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "set up")
        await pilot.press("enter")
        await wait_for(pilot, "in .env")
        await pilot.press("enter")
        await wait_for(pilot, "▸ postgresql://user@host:5432/database; empty: only rehearse")
        await pilot.press(*target, "down")
        await wait_for(pilot, "▸ its password")
        await pilot.press("x", "enter")
        await wait_until(pilot, lambda: said in " ".join(text(pilot).replace("│", " ").split()), what=said)
        stands_whole(pilot)
        await pilot.press("f1")
        await wait_for(pilot, "Lines to fill in")
    assert not (project / "config.toml").exists()


async def test_a_pasted_url_may_hold_the_password(project: Path) -> None:
    """It moves to the password's own line by itself, and what only Prisma reads is left out."""
    (project / ".env.production").unlink()
    async with _app().run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, "set up")
        await pilot.press("enter")
        await wait_for(pilot, "in .env")
        await pilot.press("enter")
        await wait_for(pilot, "From where, where to?")
        await pilot.press(*"postgresql://a:hush@127.0.0.1:1/b?pgbouncer=true", "enter")
        await wait_for(pilot, "trouble at: tcp")
        assert "Nothing listens" in text(pilot)
        await pilot.press("n", "enter")
        await wait_for(pilot, "****")
        assert "postgresql://a@127.0.0.1:1/b " in text(pilot)
        assert "hush" not in text(pilot)
