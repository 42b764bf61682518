"""The verbs that begin a run: headless, or in the wizard."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from zenni_tui import headless
from zenni_tui.cli import CONFIG, Options, config_of, settings_of
from zenni_tui.config import Settings
from zenni_tui.engine import client, folders
from zenni_tui.errors import ExitCode, UsageError
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import Meanwhile, RunKind
from zenni_tui.model.state import RunState

from . import tasks, watching
from .looking import status
from .orders import aimed, request_for
from .school import School, about

if TYPE_CHECKING:
    from zenni_tui.sandbox.demo import Demo
    from zenni_tui.ui.offer import Setup
    from zenni_tui.ui.post import Post
    from zenni_tui.ui.tools import Tool
    from zenni_tui.ui.training import Training


class Offer:
    """What the wizard can start, and how; the screen knows no more than this."""

    def __init__(self, settings: Settings, options: Options, *, hints: tuple[str, ...] = (), demo: str = "") -> None:
        self._settings = settings
        self._options = options
        self._demo = demo or None
        self.source = settings.source or "no source named yet (--source FILE)"
        self.target = _label(settings)
        self.live = False
        self.setup: Setup | None = None
        self.timeline = settings.timeline
        self.hints = hints or _hints(settings)
        self.training: Training | None = School(settings.source or about(options), options)
        self.post: Callable[[], Post] | None = partial(watching.post_of, settings) if settings.target else None
        kinds = [RunKind.REHEARSE, RunKind.CHECK, RunKind.AUDIT, RunKind.PLAN]
        self.kinds = tuple(kinds + ([RunKind.MIGRATE] if settings.target else [])) if settings.source else ()

    @property
    def tools(self) -> "tuple[Tool, ...]":
        """Return what else can be done about a run."""
        from .tools import tools_of  # noqa: PLC0415 - it imports what stands here

        return tools_of(self._settings, self._options, partial(engage, self._options))

    def start(self, kind: RunKind) -> Path:
        """Create a run that waits for the operator before it writes, and start its engine."""
        settings = aimed(kind, self._settings, self._options)
        request = request_for(kind, settings, self._options, gated=True, demo=self._demo)
        if self._demo and kind is RunKind.MIGRATE and not self._options.meanwhile:
            # Who plays with the demo books while it moves.
            request = msgspec.structs.replace(request, meanwhile=Meanwhile.FOLLOW)
        folder = client.create(request, Path(self._options.run_dir) if self._options.run_dir else None)
        engage(self._options, folder, "run", settings.password)
        return folder

    def keep(self, findings: Sequence[Finding]) -> str:
        """Write what was chosen for these findings into the config file that holds for the next run."""
        from .keeping import keep  # noqa: PLC0415 - a TOML writer is for those who keep something

        chosen = Choices().with_chosen(findings)
        kept = len(chosen.repairs) + len(chosen.casts)
        words = f"{kept} choice{'' if kept == 1 else 's'}"
        if self._demo:
            choices = self._settings.choices.with_chosen(findings)
            self._settings = msgspec.structs.replace(self._settings, choices=choices)
            return f"{words} kept until this screen closes: the demo has no config.toml."
        place = Path(config_of(self._options) or CONFIG)
        keep(place, chosen)
        self._settings = settings_of(self._options)
        return f"{words} kept in {place}: the next run takes them by itself."

    def resume(self, folder: Path) -> None:
        """Start an engine that goes on where the run ended."""
        engage(self._options, folder, "run")

    def check_again(self, folder: Path) -> None:
        """Start an engine that looks again at what stood in the way to the target."""
        engage(self._options, folder, "check")

    def rollback(self, folder: Path, said: Mapping[str, str] | None = None) -> None:
        """Start an engine that takes the run back."""
        engage(self._options, folder, "rollback", words={"by": client.whoami(), **(said or {})})

    def switch(self, folder: Path, said: Mapping[str, str]) -> None:
        """Start an engine that switches the application over."""
        engage(self._options, folder, "switch", words={"by": client.whoami(), **said})


def _hints(settings: Settings) -> tuple[str, ...]:
    if settings.target is None or settings.application.can_switch:
        return ()
    return ("[application] in config.toml is empty: a migration verifies the target, but can't switch over.",)


def engage(
    options: Options,
    folder: Path,
    action: str,
    password: str | None = None,
    words: Mapping[str, str] | None = None,
) -> None:
    """Start an engine on a run, with the password that settings or the demo know, and the demo kept alive by it."""
    request = client.request_of(folder)
    if action == "switch":
        from zenni_tui.steps import preflight  # noqa: PLC0415 - brings the drivers

        preflight.known(request.application)
    if request.demo is None:
        client.launch(folder, action=action, password=password or password_of(options, request), words=words)
        return
    from zenni_tui.sandbox import demo as sandbox  # noqa: PLC0415 - brings the server's launcher

    with sandbox.open_demo(Path(request.demo)) as made:
        client.launch(
            folder, action=action, password=made.target["password"], hold_fds=[made.hold.fileno()], words=words
        )


def password_of(options: Options, request: Request) -> str | None:
    """Return the password that the settings know for a run's target; raises UsageError when they name another one."""
    if request.target is None:
        return None
    settings = settings_of(options)
    theirs, ours = request.target, settings.target
    if _same(theirs, settings.staging):
        return settings.staging_password
    if ours is not None and not _same(theirs, ours):
        raise UsageError(
            "The target named now is not the one this run began with.",
            why=f"The run's is {theirs.get('host')}:{theirs.get('port')}/{theirs.get('dbname')}.",
            next_step="Leave the target out, or name the same one.",
        )
    return settings.password


def _same(one: dict[str, str], other: dict[str, str] | None) -> bool:
    return other is not None and all(one.get(k) == other.get(k) for k in ("host", "port", "dbname"))


def _label(settings: Settings) -> str:
    if settings.target is None:
        return "embedded PostgreSQL"
    from zenni_tui.target import libpq  # noqa: PLC0415 - half of the start-up time, for the verbs that need it

    return libpq.label(settings.target)


def begin(request: Request, settings: Settings, options: Options) -> Path:
    """Create the run directory and start the engine; returns the directory."""
    folder = client.create(request, Path(options.run_dir) if options.run_dir else None)
    engage(options, folder, "run", settings.password)
    return folder


def run(kind: RunKind) -> Callable[[Options], int]:
    """Return the verb that makes a run of a kind."""

    def verb(options: Options) -> int:
        settings = settings_of(options)
        if options.screen:
            return wizard(options, settings, start=kind)
        settings = aimed(kind, settings, options)
        if kind is RunKind.MIGRATE and not options.yes:
            raise UsageError(
                "A migration writes to the live target.", next_step="Say so with --yes, or run it on a terminal."
            )
        folder = begin(request_for(kind, settings, options), settings, options)
        return follow(folder, options, until=headless.waits(0))

    return verb


def follow(
    folder: Path,
    options: Options,
    *,
    skip: int = 0,
    until: Callable[[RunState], ExitCode | None] = lambda _: None,
) -> int:
    """Tell a run in lines until it ends, or has come to a point; returns its exit code."""
    return headless.follow(folder, events=options.events, as_json=options.json, skip=skip, until=until)


def offer_of(settings: Settings, options: Options) -> Offer:
    """Return what the wizard can start; where no source is known it can ask for one."""
    offer = Offer(settings, options)
    if not settings.source and not options.config and not Path(CONFIG).exists():
        from .setup import FirstRun  # noqa: PLC0415 - brings the drivers

        offer.hints = ("To see it at work first, on data of its own: zenni-tui demo",)
        offer.setup = FirstRun(Path.cwd(), lambda: Offer(settings_of(options), options))
    return offer


def wizard(
    options: Options, settings: Settings | None = None, *, start: RunKind | None = None, follow: Path | None = None
) -> int:
    """Open the screen: on a live run, on a new one, or on the list of what can be done."""
    from zenni_tui.ui import app  # noqa: PLC0415 - Textual is for those who look

    offer = offer_of(settings or settings_of(options), options)
    if start is not None:
        follow = offer.start(start)
    app.run(offer, follow or client.live_run(), ascii_only=options.ascii)
    return int(ExitCode.PASSED)


def default(options: Options) -> int:
    """Open the wizard, which attaches to a live run; without a terminal, tell how things stand."""
    return wizard(options) if options.screen else status(options)


def demo(options: Options) -> int:
    """Make the demo, then the wizard on it, or a rehearsal in lines."""
    from zenni_tui.sandbox import demo as sandbox  # noqa: PLC0415 - brings the server's launcher

    place = Path(options.folder) if options.folder else folders.state_home() / "demo"
    print("Making the sample application and starting PostgreSQL ...", file=sys.stderr)
    made = sandbox.open_demo(place, bookings=options.bookings, seed=options.seed, trouble=tuple(options.trouble))
    with made:
        settings = demo_settings(made, options)
        hints = (f"demo application: {made.app_url}", f"its folder: {made.folder}")
        for hint in hints:
            print(hint, file=sys.stderr)
        if options.screen:
            from zenni_tui.ui import app  # noqa: PLC0415 - Textual is for those who look

            live = client.live_run()
            app.run(Offer(settings, options, hints=hints, demo=str(made.folder)), live, ascii_only=options.ascii)
            return int(ExitCode.PASSED)
        request = request_for(RunKind.REHEARSE, settings, options, demo=str(made.folder))
        return follow(begin(request, settings, options), options)


def demo_settings(made: "Demo", options: Options) -> Settings:
    """Return the demo's own settings, in which only the command line's choices about the copy are kept."""
    from zenni_tui.sandbox import demo as sandbox  # noqa: PLC0415 - brings the server's launcher
    from zenni_tui.sandbox.sample import questions  # noqa: PLC0415 - as above

    named = dict(made.target)
    password = named.pop("password", None)
    base = settings_of(options)
    return Settings(
        str(made.source),
        str(made.schema),
        base.choices,
        named,
        password,
        "public",
        base.workers,
        base.chunk_rows,
        retry_minutes=base.retry_minutes,
        application=sandbox.application(made),
        rollback=base.rollback,
        questions=questions(),
    )


def plan(options: Options) -> int:
    """Make the plan; with --ddl print its SQL and nothing else on standard output."""
    if options.coverage:
        return tasks.show(options)
    if not options.ddl:
        return run(RunKind.PLAN)(options)
    settings = settings_of(options)
    folder = begin(request_for(RunKind.PLAN, settings, options), settings, options)
    code = headless.follow(folder, events=False, as_json=False)
    ddl = folder / "schema.sql"
    if ddl.exists():
        sys.stdout.write(ddl.read_text())
    return code
