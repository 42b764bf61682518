"""The demo: a sample application in a folder, its web app, and an embedded PostgreSQL to migrate it to.

Server and web app live as long as somebody holds the server; its data stay for the next time.
"""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from zenni_tui.errors import StepFailed, UsageError
from zenni_tui.model.application import Application, Health, Hooks, Side

from . import server as sandbox
from . import webapp
from .detach import make_private, start_module
from .holds import Hold, locked
from .postmaster import is_free
from .sample import SampleApplication, application_in, make_application, read_mark, write_environment

DATABASE = "zenni"


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo and our hold on it: pass `hold.fileno()` on to whoever shall keep it alive as well."""

    folder: Path
    source: Path
    schema: Path
    target: dict[str, str]
    app_url: str
    hold: Hold

    def close(self) -> None:
        """Let go of the demo; it stops within seconds unless somebody else holds it."""
        self.hold.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_demo(folder: Path, *, bookings: int = 2000, seed: int = 1, trouble: tuple[str, ...] = ()) -> Demo:
    """Start the demo in a folder, or join the one that runs there.

    A sample that stands there already is used as it is. Raises UsageError when the folder holds something else,
    NotReady and StepFailed when the server or the web app do not start.
    """
    folder = folder.resolve()
    make_private(folder)
    with locked(folder / ".demo.lock"):
        application = _application(folder, bookings, seed, trouble)
        running = _server(application)
        try:
            running.create_database(DATABASE)
            port = _web_app(folder, running.directory / "keeper.lock")
        except BaseException:
            running.close()
            raise
        target = running.conninfo(DATABASE)
        url = f"http://{webapp.HOST}:{port}/"
        return Demo(folder, application.database, application.schema, target, url, running.hold())


def close_demo(folder: Path) -> None:
    """Stop the demo of a folder, whoever holds it, and delete its server's data; the folder stays as it is."""
    folder = folder.resolve()
    if not folder.is_dir():
        return
    with locked(folder / ".demo.lock"):
        webapp.stop(folder)
        sandbox.remove(name_of(folder))


def application(demo: Demo) -> Application:
    """Return how the demo's web app is switched over, and led back."""
    reload = (sys.executable, "-m", webapp.MODULE, str(demo.folder), "--reload")
    return Application(
        str(demo.folder),
        (str(demo.folder / ".env"),),
        Health(f"{demo.app_url}health", fields={"status": "ok"}),
        Hooks(restart=reload),
        new=Side({"DATABASE_URL": "${TARGET_URL}"}, {"database": "postgresql"}),
        old=Side(health_fields={"database": "sqlite"}),
    )


def name_of(folder: Path) -> str:
    """Return the name of a demo's server, the same for the same folder."""
    return f"demo-{hashlib.sha256(bytes(folder.resolve())).hexdigest()[:16]}"


def _application(folder: Path, bookings: int, seed: int, trouble: tuple[str, ...]) -> SampleApplication:
    application = application_in(folder)
    if read_mark(folder) and application.database.exists():
        return application
    return make_application(folder, bookings=bookings, seed=seed, trouble=trouble)


def _server(application: SampleApplication) -> sandbox.Server:
    """Return the demo's server; with a new one the application goes back to SQLite, as the old one's data are gone."""
    name = name_of(application.folder)
    running = sandbox.attach(name)
    if running is None:
        if not _is_on_sqlite(application.folder):
            write_environment(application)
        running = sandbox.start(name, keep_data=True)
    return running


def _is_on_sqlite(folder: Path) -> bool:
    try:
        return webapp.read_url(folder).startswith("file:")
    except UsageError:
        return False


def _web_app(folder: Path, lock: Path) -> int:
    """Return the port of the folder's web app, started when it does not run, on its former port if that is free."""
    record = webapp.running(folder)
    if record is not None:
        return record.port
    former = webapp.read_record(folder)
    start_module(webapp.MODULE, str(folder), "--detach", "--while-locked", str(lock), *_port(former))
    record = webapp.running(folder)
    if record is None:
        raise StepFailed("The sample application ended at once", where=str(folder))
    return record.port


def _port(former: webapp.AppRecord | None) -> list[str]:
    return ["--port", str(former.port)] if former and is_free(former.port) else []
