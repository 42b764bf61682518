"""Settings: option before environment before file before default, and no password where others can read it."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from zenni_tui import config
from zenni_tui.errors import ExitCode, UsageError


def written(tmp_path: Path, text: str, mode: int = 0o644) -> Path:
    """Write a config file."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    """Nothing needs to be said; what is said comes through."""
    assert config.load(written(tmp_path, "")) == config.Config()
    made = config.load(written(tmp_path, '[source]\npath = "a.db"\nexclude = ["x", "y"]\n[copy]\nworkers = 4'))
    assert (made.source.path, made.source.exclude, made.copy.workers) == ("a.db", ("x", "y"), 4)


WRONG = [
    ("[sourze]\n", "Unknown key sourze", "Did you mean source?"),
    ('[source]\npaht = "x"', "Unknown key source.paht", "Did you mean source.path?"),
    ("[source]\nqqq = 1", "Unknown key source.qqq", "Known here: path"),
    ("[copy]\nworkers = 'two'", "wrong kind", ""),
    ("[copy]\nworkers = true", "wrong kind", ""),
    ("[copy]\nworkers = 1.5", "wrong kind", ""),
    ("source = 5", "wrong kind", ""),
    ("[source]\nexclude = 'one'", "wrong kind", ""),
    ("[copy]\nworkers = 0", "between 1 and 16", ""),
    ("[copy]\nworkers = 17", "between 1 and 16", ""),
    ("[copy]\nchunk_rows = 0", "between 1 and", ""),
    ("[copy]\nlag_mb = -1", "0 or more", ""),
    ("[copy]\nsize_mb = nan", "0 or more", ""),
    ("[copy]\nfree_mb = inf", "0 or more", ""),
    ("[copy\n", "not TOML", ""),
    ("a = 1\na = 2", "not TOML", ""),
]


@pytest.mark.parametrize(("text", "what", "step"), WRONG)
def test_what_is_wrong_in_a_file_is_said(tmp_path: Path, text: str, what: str, step: str) -> None:
    """A mistyped key, a wrong kind, a value out of bounds and broken TOML are usage errors that name the file."""
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=what) as raised:
        config.load(path)
    assert step in raised.value.next_step
    assert raised.value.where == str(path)
    assert raised.value.exit_code is ExitCode.USAGE


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A missing file, a directory and bytes that are no text are usage errors, not faults."""
    (tmp_path / "bytes.toml").write_bytes(b"a = '\xff\xfe'")
    for name, what in (("missing.toml", "can't be read"), (".", "can't be read"), ("bytes.toml", "not TOML")):
        with pytest.raises(UsageError, match=what):
            config.load(tmp_path / name)


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@h/d", "host=h user=u password=secret", "postgresql://u@h/d?password=secret"]
)
def test_a_password_in_a_file_needs_mode_0600(tmp_path: Path, url: str) -> None:
    """Others must not be able to read it; with 0600 it is taken."""
    text = f'[target]\nurl = "{url}"'
    for mode in (0o644, 0o640, 0o604):
        with pytest.raises(UsageError, match="others can read it") as raised:
            config.load(written(tmp_path, text, mode))
        assert "secret" not in str(raised.value.problem)
    path = written(tmp_path, text, 0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settled = config.settle(config=config.load(path), source=None, target=None, environment={})
    assert settled.password == "secret"  # noqa: S105 - the test's own
    assert "secret" not in str(settled.target)


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@h/d", "user=u password=secret", "postgres://h/d?password=secret"]
)
def test_a_password_on_the_command_line_is_refused(url: str) -> None:
    """Every form of it; the refusal names the other ways and doesn't repeat it."""
    with pytest.raises(UsageError, match="command line") as raised:
        config.settle(config=config.Config(), source=None, target=url, environment={})
    assert "PGPASSFILE" in raised.value.next_step
    assert "secret" not in str(raised.value.problem)


BROKEN = [
    "postgresq://user:secret@host/db",
    "postgresql://u:se%zzcret@h/db",
    "postgresql://u:secret@h/db?secret=1",
    "password=secret 'unfinished",
    "postgresql://u:secret@[::1/db",
    "password=x secret",
    "postgresql://u:secret\udcff@h/d",
    "postgresql://u:secret@h:port/d",
    "postgresql://u:secret@h:70000/d",
    "secret",
]


@pytest.mark.parametrize("url", BROKEN)
def test_a_broken_url_is_told_without_repeating_it(url: str) -> None:
    """What libpq can't read is a usage error; libpq would quote it, password and all, so we don't let it."""
    with pytest.raises(UsageError, match="not a PostgreSQL connection URL") as raised:
        config.parameters(url)
    assert "secret" not in str(raised.value.problem)
    assert raised.value.__cause__ is None


def test_what_is_nearer_wins() -> None:
    """Option before environment before file."""
    filed = config.Config(
        source=config.SourceSection(path="file.db"),
        target=config.TargetSection(url="postgresql://file/d", schema="filed"),
    )
    environment = {
        "ZENNI_SOURCE": "environment.db",
        "ZENNI_TARGET_URL": "postgresql://u:secret@environment/d",
        "ZENNI_SCHEMA": "environed",
        "PGPASSWORD": "other",
    }
    all_three = config.settle(config=filed, source="option.db", target="postgresql://option/d", environment=environment)
    two = config.settle(config=filed, source=None, target=None, environment=environment)
    one = config.settle(config=filed, source=None, target=None, environment={})
    none = config.settle(config=config.Config(), source=None, target=None, environment={})
    found = [(s.source, (s.target or {}).get("host"), s.schema, s.password) for s in (all_three, two, one, none)]
    assert found == [
        ("option.db", "option", "environed", "other"),
        ("environment.db", "environment", "environed", "secret"),
        ("file.db", "file", "filed", None),
        ("", None, "public", None),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[watch]\nconnections = 80.0", "a share between 0 and 1, such as 0.8; it is 80"),
        ("[watch]\nlock_seconds = -1.0", "watch.lock_seconds must not be below 0"),
        ("[watch]\nevery_seconds = 0.1", "between 1 and 3600"),
        ('[watch]\nerror_url = "localhost/rate"', "must begin with http"),
        ('[notify]\nwebhook = "file:///etc/secret"', "must begin with http"),
        ("[notify]\ntimeout_seconds = 0.0", "between 0 and 300"),
    ],
)
def test_limits_that_nothing_reaches_are_refused(tmp_path: Path, text: str, why: str) -> None:
    """A share in per cent, a negative time, an address that is none: each would silently watch nothing."""
    with pytest.raises(UsageError, match=why) as raised:
        config.load(written(tmp_path, text, 0o600))
    assert "secret" not in str(raised.value.problem)


def test_a_webhook_is_kept_like_a_password(tmp_path: Path) -> None:
    """Others must not be able to read it in a file; the environment may give it, and comes first."""
    text = '[notify]\nwebhook = "https://hooks.example.org/secret"'
    with pytest.raises(UsageError, match="others can read it"):
        config.load(written(tmp_path, text, 0o644))
    filed = config.load(written(tmp_path, text, 0o600))
    given = {"ZENNI_WEBHOOK": "https://hooks.example.org/other"}
    found = [config.settle(config=filed, source=None, target=None, environment=e).notify.webhook for e in ({}, given)]
    assert found == ["https://hooks.example.org/secret", "https://hooks.example.org/other"]


def test_the_example_names_every_key() -> None:
    """The example file that is shipped is one that can be loaded, and it leaves no key out."""
    example = Path(config.__file__).parent.parent / "config.example.toml"
    text = example.read_text()
    config.load(example)
    for section, kind in config.Config.__annotations__.items():
        assert f"[{section}" in text
        for key in getattr(kind, "__struct_fields__", ()):
            assert key in text, f"{section}.{key}"


def test_settings_load_without_drivers() -> None:
    """Reading a config without a target needs no PostgreSQL driver; start-up stays quick."""
    code = "import sys, zenni_tui.config; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
