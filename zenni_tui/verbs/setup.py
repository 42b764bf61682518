"""The first run: what lies near the working folder, whether source and target answer, and the config file for both."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from zenni_tui import cli, config
from zenni_tui.application import discovery
from zenni_tui.errors import UsageError, ZenniError
from zenni_tui.files import write_private
from zenni_tui.model.events import CheckMade
from zenni_tui.model.runbook import StepId
from zenni_tui.source import database
from zenni_tui.ui.offer import Offer

if TYPE_CHECKING:
    from zenni_tui.target.connect import Target

_TEMPLATE = """\
# zenni-tui's settings for this folder. Only its owner may read it: it may hold a password.
# All other settings have their defaults; config.example.toml of the project explains each.

[source]
# The SQLite file of the application. It is opened read-only.
path = {source}

[target]
# Where to. Empty: rehearsals go into an embedded PostgreSQL.
url = {url}
"""

_PRISMAS = frozenset(
    ("schema", "connection_limit", "pool_timeout", "socket_timeout", "pgbouncer", "statement_cache_size", "sslaccept")
)
"""What only Prisma reads in a URL (https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments)."""


class FirstRun:
    """Finds, tests and writes down source and target; `reopen` makes the offer anew from what was written."""

    def __init__(self, folder: Path, reopen: Callable[[], Offer]) -> None:
        self._folder = folder
        self._reopen = reopen
        self._passwords: dict[str, str] = {}

    def look_around(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """Return the SQLite files nearby with a word on each, and the targets of settings files, without passwords."""
        found = discovery.look_around(self._folder)
        files = tuple((str(s.path), f"{s.size:,} bytes" + (", in .env" if s.named else "")) for s in found.sources)
        bare = []
        for url in found.targets:
            with contextlib.suppress(UsageError, ValueError):
                plain, password = parted(url)
                bare.append(plain)
                self._passwords[plain] = password
        return files, tuple(bare)

    def password_of(self, url: str) -> str:
        """Return the password that a settings file gave with a URL, empty when none did."""
        return self._passwords.get(url, "")

    def parted(self, url: str) -> tuple[str, str]:
        """Return a URL without its password and what only Prisma reads, and the password; raises UsageError."""
        return parted(url)

    def test(self, source: str, url: str, password: str) -> tuple[CheckMade, ...]:
        """Look at the source's header and climb the ladder to the target; writes nowhere."""
        return (*_test_source(_place(source)), *(_test_target(url, password) if url else _no_target()))

    def write(self, source: str, url: str, password: str) -> Offer:
        """Write the config file, mode 0600, and return the offer it makes; raises UsageError where there is one."""
        place = self._folder / cli.CONFIG
        if place.exists():
            raise UsageError("There is a config file already.", where=str(place), next_step="Change it with an editor.")
        if url:
            config.parameters(url)
        text = _TEMPLATE.format(source=_toml(str(_place(source))), url=_toml(joined(url, password)))
        write_private(place, text.encode())
        config.load(place)
        return self._reopen()


def parted(url: str) -> tuple[str, str]:
    """Return a URL without its password and what only Prisma reads, and the password; raises UsageError."""
    from zenni_tui.target import libpq  # noqa: PLC0415 - the first screen shows sooner without the drivers

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise libpq.unusable(str(error)) from None
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}@" if parts.username else ""
    said = dict(parse_qsl(parts.query))
    if said.get("schema", "public") != "public":
        raise UsageError(
            "The URL names a schema, which is a setting of its own.",
            next_step='Leave ?schema= out here, and write it as schema = "NAME" under [target] of config.toml.',
        )
    query = "&".join(p for p in parts.query.split("&") if p.partition("=")[0] not in _PRISMAS)
    plain = urlunsplit((parts.scheme, user + host, parts.path, query, ""))
    libpq.parse(plain)
    return plain, unquote(parts.password or "")


def joined(url: str, password: str) -> str:
    """Return a URL with a password in it."""
    if not password:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def _toml(text: str) -> str:
    """Return a TOML string (https://toml.io/en/v1.0.0#string); raises UsageError for what no setting holds."""
    if not text.isprintable():
        raise UsageError("A setting holds characters that can't be printed.", next_step="Give it by the command line.")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _check(name: str, error: ZenniError) -> CheckMade:
    words = " ".join(filter(None, (error.what, error.why)))
    return CheckMade(StepId.REACH, name, ok=False, found=words, advice=error.next_step)


def _place(source: str) -> Path:
    return Path(os.path.expanduser(source)).absolute()  # noqa: PTH111 - must not fail where there is no home


def _test_source(source: Path) -> Iterator[CheckMade]:
    try:
        found = database.look(source)
    except ZenniError as error:
        yield _check("source", error)
    else:
        yield CheckMade(StepId.REACH, "source", ok=True, found=found, tried="the file's header, not its data")


def _no_target() -> tuple[CheckMade, ...]:
    return (CheckMade(StepId.REACH, "target", ok=None, found="none yet: rehearsals use an embedded PostgreSQL"),)


def _test_target(url: str, password: str) -> list[CheckMade]:
    from zenni_tui.target.connect import Target  # noqa: PLC0415 - as above

    try:
        target = Target(config.parameters(url), password or None, name="zenni-tui")
    except ZenniError as error:
        return [_check("target", error)]
    return asyncio.run(_climb(target))


async def _climb(target: "Target") -> list[CheckMade]:
    from zenni_tui.target import ladder  # noqa: PLC0415 - as above

    ground = ladder.Ground(target, "public", "")
    found = []
    try:
        for step in ladder.STEPS:
            try:
                rung = await step.look(ground)
            except ZenniError as error:
                found.append(_check(step.name, error))
                break
            found.append(CheckMade(StepId.REACH, step.name, rung.ok, rung.found, rung.advice, rung.tried))
    finally:
        ground.close()
    return found
