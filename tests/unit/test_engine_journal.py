"""The journal: numbered, append-only, never torn for its readers."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zenni_tui.engine.journal import RESERVE_BYTES, Journal, JournalReader
from zenni_tui.model import events as e
from zenni_tui.model.record import to_json
from zenni_tui.model.runbook import StepId


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    """Entries come back numbered from 1, dated, and add up to the writer's own state; the file is the owner's."""
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    for text in ("one", "zwei\r\nlines\u2028", '😀 \x00 \\ "'):
        journal.append(e.Said("info", text))
    reader = JournalReader(path)
    entries = reader.read()
    assert [(x.number, x.what.text) for x in entries if isinstance(x.what, e.Said)] == [
        (1, "one"),
        (2, "zwei\r\nlines\u2028"),
        (3, '😀 \x00 \\ "'),
    ]
    assert reader.state == journal.state
    assert reader.read() == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    journal.close()


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 200), texts=st.lists(st.text(max_size=10), min_size=1, max_size=4))
def test_a_torn_last_line_is_cut_off(tmp_path_factory: pytest.TempPathFactory, cut: int, texts: list[str]) -> None:
    """Wherever a power cut tore the file, opening it again keeps all whole entries and goes on with the next number."""
    path = tmp_path_factory.mktemp("journal") / "events.jsonl"
    journal = Journal(path)
    for text in texts:
        journal.append(e.Said("info", text))
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    left = path.read_bytes().count(b"\n")
    again = Journal(path)
    assert again.append(e.Said("info", "next")).number == left + 1
    again.close()
    numbers = [x.number for x in JournalReader(path).read()]
    assert numbers == list(range(1, left + 2))


def test_a_reader_leaves_a_half_written_line_for_later(tmp_path: Path) -> None:
    """A line that is still being written is not an error; it is read when it is whole."""
    path = tmp_path / "events.jsonl"
    line = to_json(e.Entry(1, 0.5, e.StepStarted(StepId.COPY))) + b"\n"
    reader = JournalReader(path)
    assert reader.read() == []
    for end in range(len(line)):
        path.write_bytes(line[:end])
        assert reader.read() == []
    path.write_bytes(line)
    assert [x.number for x in reader.read()] == [1]
    assert reader.state.entries == 1


def test_two_readers_and_a_writer_agree(tmp_path: Path) -> None:
    """Whoever joins late has the same state as who was there from the beginning."""
    path = tmp_path / "events.jsonl"
    journal, early = Journal(path), JournalReader(path)
    for number in range(50):
        journal.append(e.Progress(StepId.COPY, number, 50, "rows"))
        early.read()
    late = JournalReader(path)
    late.read()
    assert early.state == late.state == journal.state
    journal.close()


_FULL = """
import resource, sys
from pathlib import Path
from zenni_tui.engine.journal import Journal
from zenni_tui.model import events as e
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
journal = Journal(Path(sys.argv[1]))
written = refused = 0
for number in range(100):
    try:
        journal.append(e.Said("info", "x" * 300 + str(number)))
        written += 1
    except OSError:
        refused += 1
assert journal.state.entries == written, (journal.state.entries, written)
# A shorter entry still finds room, and takes the number that was not used up.
entry = journal.append(e.Said("info", "short"))
print(written, refused, entry.number)
"""


def test_a_full_disk_leaves_no_torn_line(tmp_path: Path) -> None:
    """What could not be written whole is not there at all; its number is given to the next entry."""
    path = tmp_path / "events.jsonl"
    run = subprocess.run([sys.executable, "-c", _FULL, str(path)], capture_output=True, text=True, check=True)
    written, refused, number = map(int, run.stdout.split())
    assert written > 0
    assert refused > 0
    assert number == written + 1
    assert path.read_bytes().endswith(b"\n")
    assert [x.number for x in JournalReader(path).read()] == list(range(1, number + 1))


def test_an_entry_not_on_disk_does_not_lend_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails at fsync the line is taken back, and nothing counts it."""
    journal = Journal(tmp_path / "events.jsonl")
    journal.append(e.StepStarted(StepId.COPY))

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            journal.append(e.StepDone(StepId.COPY, 1.0, "done"))
    assert journal.append(e.StepDone(StepId.COPY, 2.0, "done")).number == 2
    reader = JournalReader(tmp_path / "events.jsonl")
    assert [x.number for x in reader.read()] == [1, 2]
    assert reader.state == journal.state
    journal.close()


def test_a_full_disk_keeps_room_for_the_last_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first entry that finds no room gives the reserve up, and the words with which a step ends are written."""
    journal = Journal(tmp_path / "events.jsonl")
    reserve = tmp_path / "reserve"
    assert reserve.stat().st_size == RESERVE_BYTES

    def write(fd: int, line: bytes) -> int:
        if reserve.exists():
            raise OSError(28, "No space left on device")
        return real(fd, line)

    real = os.write
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        journal.append(e.StepDone(StepId.COPY, 1.0, "done"))
    assert not reserve.exists()
    assert journal.append(e.StepFailed(StepId.COPY, 1.0, e.Problem("full"))).number == 1
    journal.close()
