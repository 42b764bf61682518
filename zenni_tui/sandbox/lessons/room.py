"""A room for one exercise: the task with its own data, the prompt, the look whether it is done."""

from pathlib import Path

import msgspec
import psycopg

from zenni_tui.model.lessons import Answer, Checked
from zenni_tui.sandbox import server as sandbox
from zenni_tui.sandbox.detach import make_private

from . import operating, querying
from .book import find_exercise
from .ground import Ground
from .prompt import Prompt
from .trials import Trial

TRIALS: dict[str, Trial] = {**querying.TRIALS, **operating.TRIALS}
"""By lesson and exercise, as `prisma/index`."""


class Room:
    """One try at an exercise; `close` takes everything away."""

    def __init__(self, server: sandbox.Server, folder: Path, lesson: str, exercise: str) -> None:
        make_private(folder)
        told = find_exercise(lesson, exercise)
        self._trial = TRIALS[f"{lesson}/{exercise}"]
        self._ground = Ground(server, folder)
        self._shown = False
        try:
            self._words = self._trial.prepare(self._ground)
            self._prompt = Prompt(self._ground)
        except BaseException:
            self._ground.close()
            raise
        self.exercise = msgspec.structs.replace(told, **{k: self._put(getattr(told, k)) for k in ("task", "hint")})
        self._solution = self._put(told.solution)

    @property
    def way_in(self) -> str:
        """Return the line that opens psql on the exercise's database; the password stands in a file of mode 0600."""
        place = self._ground.place
        url = f"postgresql://{place['user']}@{place['host']}:{place['port']}/{place['dbname']}"
        return f"PGPASSFILE={self._ground.passfile} psql {url}"

    def run(self, line: str) -> Answer:
        """Run what was typed."""
        return self._prompt.run(line)

    def solution(self) -> str:
        """Return one way to do it; from now on doing it does not count."""
        self._shown = True
        return self._solution

    def check(self) -> Checked:
        """Look at the database whether the exercise is done."""
        try:
            missing = self._trial.check(self._ground, self._words)
        except psycopg.Error as error:
            missing = f"Not yet: {' '.join(str(error).split())}"
        if missing:
            return Checked(right=False, counts=False, story=missing)
        if self._shown:
            story = "Right. But the solution was shown: begin again with other data (F6), then it counts."
            return Checked(right=True, counts=False, story=story)
        return Checked(right=True, counts=True, story="Right, and done by yourself: it counts.")

    def close(self) -> None:
        """Take the exercise's database away."""
        self._ground.close()

    def _put(self, text: str) -> str:
        for name, value in self._words.items():
            text = text.replace(f"{{{name}}}", value)
        return text
