"""Rooms of exercises whose good end is kept in the ledger."""

import psycopg

from zenni_tui.engine import folders
from zenni_tui.model.lessons import Checked
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.lessons.book import find_lesson
from zenni_tui.sandbox.lessons.ground import lessons_server
from zenni_tui.sandbox.lessons.room import Room

from .school import keep

__all__ = ["NotedRoom", "Silent", "lessons_server"]

Silent = psycopg.OperationalError
"""What a room raises whose server does not answer."""


class NotedRoom(Room):
    """A room that keeps in the ledger what was done by oneself."""

    def __init__(self, source: str, server: sandbox.Server, lesson: str, exercise: str) -> None:
        super().__init__(server, folders.private(folders.state_home() / "lessons"), lesson, exercise)
        self._source = source
        self._lesson = find_lesson(lesson)
        self._name = f"{lesson}/{exercise}"

    def check(self) -> Checked:
        """Look whether the exercise is done, and keep it when it counts."""
        checked = super().check()
        if checked.counts:
            keep(self._source, self._lesson, self._name)
        return checked
