"""The application's two sides: what their settings say in the end, and the commands and answers of each."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from zenni_tui.errors import StepFailed, UsageError
from zenni_tui.model.application import HOOK_SECONDS, Application, Which

from . import environment, health, hooks

_NAMED = re.compile(r"\$\{([A-Za-z_]\w*)\}")


def resolved(settings: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return settings with each `${NAME}` replaced: by what is `known`, else by the environment; raises UsageError."""

    def value(name: str, found: re.Match[str]) -> str:
        if found[1] in known:
            return known[found[1]]
        if found[1] in os.environ:
            return os.environ[found[1]]
        raise UsageError(
            f"The setting {name} names ${{{found[1]}}}, which nobody knows.",
            why="It is none of ours, and it is not in the environment of this command.",
            next_step=f"Known: {', '.join(sorted(known))}; or set it in the environment and give the command again.",
        )

    return {name: _NAMED.sub(lambda m, n=name: value(n, m), text) for name, text in settings.items()}  # type: ignore[misc]


class Applied:
    """One side as it is used: its settings without references left, and what of them must stay secret."""

    def __init__(
        self, application: Application, which: Which, mark: str, known: Mapping[str, str], secrets: Iterable[str]
    ) -> None:
        """Take the `known` references, and the `mark` that backups bear."""
        self._application = application
        self._mark = mark
        self.which = which
        self.settings = resolved(application.side(which).settings, known)
        self._secrets = {s for s in secrets if s}
        self._secrets |= {v for v in self.settings.values() if any(s in v for s in self._secrets)}

    def has(self, name: str) -> bool:
        """Return whether there is a command of this name."""
        return bool(self._application.command(name, self.which))

    async def call(self, name: str, folder: Path, environ: Mapping[str, str], *, settings: bool = False) -> hooks.Ended:
        """Run a command of this side; its output goes to the run's folder. Raises StepFailed when it fails or hangs.

        With `settings` it gets the side's settings in its environment.
        """
        hook = hooks.Hook(
            name,
            self._application.command(name, self.which),
            self._application.directory,
            self._application.hook_seconds.get(name, HOOK_SECONDS),
            {"ZENNI_SIDE": self.which, **environ, **(self.settings if settings else {})},
        )
        ended = await hooks.run(hook, folder, self._secrets)
        if not ended.ok:
            raise _failed(ended, hook)
        return ended

    async def healthy(self) -> health.Answer | None:
        """Ask the application until it is well as this side, None when nobody said where; raises StepFailed."""
        wanted = self._application.health_of(self.which)
        if not wanted.url:
            return None
        answer = await health.wait(wanted)
        if answer.ok:
            return answer
        raise StepFailed(
            f"The application is not well on the {self.which} side.",
            where=wanted.url,
            why=f"{answer.why}, for {answer.seconds:.0f} s.",
            next_step="Look at the application's own log, then go on or go back.",
        )

    def files(self) -> list[tuple[Path, dict[str, str]]]:
        """Return the settings files with what each of them is to say.

        A setting is written wherever it stands already; one that stands nowhere, in the first file.
        """
        paths = [Path(p) for p in self._application.env_files]
        there = [environment.read(p) for p in paths]
        nowhere = {n for n in self.settings if not any(n in found for found in there)}
        return [
            (path, {n: v for n, v in self.settings.items() if n in found or (n in nowhere and place == 0)})
            for place, (path, found) in enumerate(zip(paths, there, strict=True))
        ]

    def is_written(self) -> bool:
        """Return whether the settings files say what this side wants."""
        return all(
            environment.read(path).get(name) == value for path, wanted in self.files() for name, value in wanted.items()
        )

    def write(self) -> list[str]:
        """Write the settings; the old text of each file is kept beside it. Returns the files; raises StepFailed."""
        changed = [(path, wanted) for path, wanted in self.files() if wanted]
        for path, wanted in changed:
            environment.rewrite(path, wanted, self.backup(path))
        return [str(path) for path, _ in changed]

    def put_back(self, new: "Applied") -> list[str]:
        """Give the settings files back what they said before `new` was written; returns them; raises StepFailed.

        A file that somebody else has changed since keeps those changes: only our settings get their old values.
        """
        restored = []
        for path, wanted in new.files():
            backup = self.backup(path)
            if not backup.exists():
                continue
            before, now = backup.read_bytes().decode(), environment.text(path)
            if now == before:
                backup.unlink()
                continue
            if environment.changed(before, wanted) == now:
                environment.restore(path, backup)
            else:
                known = environment.settings(before) | self.settings
                environment.rewrite(path, {n: known[n] for n in wanted if n in known}, backup)
            backup.unlink()
            restored.append(str(path))
        return restored

    def backup(self, path: Path) -> Path:
        """Return where the old text of a settings file is kept: beside it."""
        return path.with_name(f"{path.name}.before-{self._mark}")


def _failed(ended: hooks.Ended, hook: hooks.Hook) -> StepFailed:
    why = f"It ended with {ended.code}." if ended.code is not None else f"It took more than {hook.timeout:.0f} s."
    return StepFailed(
        f"The application's command {ended.name} failed.",
        where=hook.command[0],
        why=f"{why} {_last_words(Path(ended.said))}".rstrip(),
        next_step=f"All that it said: {ended.said}. Mend it, then try again.",
    )


def _last_words(said: Path) -> str:
    lines = said.read_bytes()[-2000:].decode(errors="replace").strip().splitlines()
    return f"It said: {lines[-1][:200]}" if lines else ""
