"""What was chosen in a run, kept in the config file for the next."""

import stat
from pathlib import Path

import pytest

from zenni_tui import config
from zenni_tui.errors import UsageError
from zenni_tui.model.choices import Choices, cast_finding
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.verbs.keeping import keep

_STRIP = Repair("strip_nul", lossless=False, text="")
_NUL = Finding("text_nul", Severity.ERROR, "", "", "T", 'a "b".c', 1, (), (_STRIP,), "strip_nul")
_OPEN = Finding("text_nul", Severity.ERROR, "", "", "T", "d", 1, (), (_STRIP,))
_CAST = cast_finding("T", "amount", ("numeric(12,2)",), "numeric(12,2)")

_BEFORE = """\
# mine
[source]
path = "a.db"  # here

[schema.repairs]
"old/T/c" = "fk_drop"  # as agreed

[copy]
workers = 2
"""


def test_choices_are_read_again_as_they_were_made_and_all_else_stays(tmp_path: Path) -> None:
    """Repairs and types come back by name; comments, order and other settings are untouched."""
    place = tmp_path / "config.toml"
    place.write_text(_BEFORE)
    place.chmod(0o600)
    chosen = Choices().with_chosen([_NUL, _OPEN, _CAST])
    keep(place, chosen)
    found = config.load(place)
    assert found.schema.repairs == {"old/T/c": "fk_drop", 'text_nul/T/a "b".c': "strip_nul"}
    assert found.schema.casts == {"T.amount": "numeric(12,2)"}
    text = place.read_text()
    assert all(line in text.splitlines() for line in _BEFORE.splitlines())
    keep(place, chosen)
    assert place.read_text() == text


def test_a_config_is_made_where_there_is_none_for_its_owner_alone(tmp_path: Path) -> None:
    """The choices are all that is in it."""
    place = tmp_path / "config.toml"
    keep(place, Choices().with_chosen([_NUL]))
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert config.load(place).schema.repairs == {'text_nul/T/a "b".c': "strip_nul"}


@pytest.mark.parametrize("text", ["[schema", "[schema]\nrepairs = 3\n", "schema = 1\n", "[source]\npth = 'x'\n"])
def test_a_config_that_means_nothing_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    """It is refused by its path."""
    place = tmp_path / "config.toml"
    place.write_text(text)
    with pytest.raises(UsageError) as raised:
        keep(place, Choices().with_chosen([_NUL]))
    assert raised.value.where == str(place)
    assert place.read_text() == text
