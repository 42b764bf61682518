"""The application's settings files are rewritten with everything else left as it is."""

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zenni_tui.application import environment
from zenni_tui.errors import StepFailed, UsageError

OLD = """# The booking system
export NODE_ENV=production
DATABASE_URL="file:./dev.db" # sqlite, "for now"
  SMTP = 'smtp://u:p@mail'   
EMPTY=
COLON: yes
KEY="-----BEGIN
DATABASE_URL=inside a value
END-----"
NOTE=it's #1
JSON='{"a": "b#c"}'
"""  # noqa: W291 - a trailing blank that has to stay
NEW = "postgresql://zenni:p%40ss@127.0.0.1:5432/zenni?sslmode=verify-full"


def test_the_settings_read_as_dotenv_reads_them() -> None:
    """Quotes, comments, export, colons, empty values and values of several lines are what they are to Node's dotenv."""
    assert environment.settings(OLD) == {
        "NODE_ENV": "production",
        "DATABASE_URL": "file:./dev.db",
        "SMTP": "smtp://u:p@mail",
        "EMPTY": "",
        "COLON": "yes",
        "KEY": "-----BEGIN\nDATABASE_URL=inside a value\nEND-----",
        "NOTE": "it's",
        "JSON": '{"a": "b#c"}',
    }


def test_only_the_value_changes() -> None:
    """Comment, order, quotes, indentation and all other lines stay; a new setting comes last."""
    new = environment.changed(OLD, {"DATABASE_URL": NEW, "DIRECT_URL": NEW, "EMPTY": "a b"})
    assert new == OLD.replace('"file:./dev.db"', f'"{NEW}"').replace("EMPTY=", 'EMPTY="a b"') + f"DIRECT_URL={NEW}\n"


def test_line_ends_and_a_missing_last_one_are_kept() -> None:
    """A file of Windows line ends stays one, and one without a last line end gets one before what is added."""
    assert environment.changed("A=1\r\nB=2", {"A": "x", "C": "y"}) == "A=x\r\nB=2\r\nC=y\r\n"
    assert environment.changed("\ufeffA=1\n", {"A": "2"}) == "\ufeffA=2\n"
    assert environment.changed("", {"A": "2"}) == "A=2\n"


def test_the_last_of_two_lines_is_the_one_that_holds() -> None:
    """Of a name that stands twice the last value holds, and that is the one that is changed."""
    assert environment.changed("A=1\nA=2\n", {"A": "3"}) == "A=1\nA=3\n"


@pytest.mark.parametrize("value", ["a$b", "two\nlines", "nul\0", "'\"`"])
def test_a_value_that_means_two_things_is_refused(value: str) -> None:
    """Dollar signs are expanded by some readers and not by others; such a value is never written, nor told."""
    with pytest.raises(UsageError) as caught:
        environment.changed("A=1\n", {"A": value})
    assert value not in f"{caught.value.what}{caught.value.why}{caught.value.next_step}"


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_]{1,6}", fullmatch=True),
        st.text(st.characters(codec="utf-8", exclude_characters="$\r\n\0`"), max_size=20),
        max_size=4,
    ),
    st.lists(st.sampled_from(OLD.splitlines()[:6]), max_size=6),
)
def test_what_is_written_is_read_back(wanted: dict[str, str], lines: list[str]) -> None:
    """Any value that is taken is read back as it was given, and no other setting changes."""
    text = "\n".join(lines) + "\n"
    wanted = {n: v.strip() for n, v in wanted.items()}
    found = environment.settings(environment.changed(text, wanted))
    assert found == {**environment.settings(text), **wanted}


def test_link_owner_and_mode_stay(tmp_path: Path) -> None:
    """The file behind a link is replaced, with its owner and mode; the old text stands in a private backup."""
    (tmp_path / "shared").mkdir()
    real, link, backup = tmp_path / "shared" / "env", tmp_path / ".env", tmp_path / ".env.before"
    real.write_text(OLD)
    real.chmod(0o640)
    # Only an almighty user may give it to somebody else.
    with suppress(OSError):
        os.chown(real, 12_345, 54_321)
    link.symlink_to(real)
    before = real.stat()
    environment.rewrite(link, {"DATABASE_URL": NEW}, backup)
    after = real.stat()
    assert link.is_symlink()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert environment.read(link)["DATABASE_URL"] == NEW
    assert (backup.read_text(), stat.S_IMODE(backup.stat().st_mode)) == (OLD, 0o600)
    environment.rewrite(link, {"DATABASE_URL": "other"}, backup)
    environment.restore(link, backup)
    assert real.read_text() == OLD
    assert sorted(f.name for f in tmp_path.iterdir()) == [".env", ".env.before", "shared"]


def test_a_file_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    """When the folder takes no new file, the old settings still stand, and the error says where and why."""
    path = tmp_path / "app" / ".env"
    path.parent.mkdir()
    path.write_text(OLD)
    (path.parent / f".{path.name}.{os.getpid()}").mkdir()
    with pytest.raises(StepFailed) as caught:
        environment.rewrite(path, {"DATABASE_URL": NEW}, tmp_path / "backup")
    assert (path.read_text(), caught.value.why) == (OLD, "Is a directory")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A settings file that the config names and that isn't there is an error with its path."""
    with pytest.raises(StepFailed) as caught:
        environment.read(tmp_path / ".env")
    assert caught.value.where == str(tmp_path / ".env")
