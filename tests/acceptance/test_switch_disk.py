"""A disk that fills up in the middle of a switch: all of it is taken back, and with room again it is made."""

import sys
from pathlib import Path

import pytest
from faults.disk import Mounted, small_disk
from support import Program
from switching import ENV, Application, can_write, migrate, switch

_ROOM = 160 * 1024 * 1024
_FILL = """
import os, sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
import psutil
from faults import disk
disk.{kind}(Path({folder!r})).fill(psutil.Process(os.getppid()))
"""


@pytest.mark.parametrize("hook", ["build", "announce", "read_only_on"])
def test_a_disk_that_fills_up_takes_the_switch_back(
    program: Program, database: dict[str, str], target_environment: dict[str, str], hook: str
) -> None:
    """The application's disk has no byte left from one of its own commands on: nothing half-done stays behind."""
    with small_disk(_ROOM) as disk:
        application = Application(disk.folder / "app")
        schema = application.schema()
        filler = application.folder / "fill.py"
        kind = type(disk).__name__
        filler.write_text(_FILL.format(tests=str(Path(__file__).parents[1]), kind=kind, folder=str(disk.folder)))
        application.configure(**{hook: [sys.executable, str(filler)]})
        migrate(program, application, target_environment)
        failed = switch(program, target_environment)
        assert (failed.code, failed.document["switch"]["serving"]) == (1, "old"), failed.narration
        if isinstance(disk, Mounted):
            disk.free(None)
        assert application.can_write()
        assert application.env.read_text() == ENV
        assert application.schema() == schema
        assert not list(application.folder.glob(".env.before-*"))
        filler.write_text("")
        done = switch(program, target_environment)
        assert (done.code, done.document["switch"]["serving"]) == (0, "new"), done.narration
        assert can_write(database)
        assert not application.can_write()
        assert program.run("finish", "--confirm", "FINISH+UNPROVEN", environment=target_environment).code == 0
