"""The application's health: one URL asked until it answers as expected, or until the time is up."""

import asyncio
import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import msgspec

from zenni_tui.model.application import Health
from zenni_tui.model.record import Record

_MOST_BYTES = 1024 * 1024
_LOCAL = ("127.0.0.1", "localhost", "::1")


class Answer(Record, frozen=True):
    """What came back; `why` tells what was wrong with it, empty when nothing was."""

    seconds: float
    why: str = ""
    status: int | None = None

    @property
    def ok(self) -> bool:
        """Return whether the application is well."""
        return not self.why


def opener(url: str) -> urllib.request.OpenerDirector:
    """Return an opener that follows no redirect, since a login page elsewhere is no health, and opens no files."""
    # A proxy named in the environment is for the world outside, not for this machine.
    here = urlsplit(url).hostname in _LOCAL
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({} if here else None),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def ask(health: Health) -> Answer:
    """Ask once."""
    started = time.monotonic()

    def answer(why: str, status: int | None = None) -> Answer:
        return Answer(round(time.monotonic() - started, 3), why, status)

    try:
        with opener(health.url).open(health.url, timeout=health.timeout) as reply:
            return answer(_wrong(health, reply.status, reply.read(_MOST_BYTES)), reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return answer(_wrong(health, error.code, error.read(_MOST_BYTES)), error.code)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return answer(f"no answer: {getattr(error, 'reason', None) or error}")


def _wrong(health: Health, status: int, body: bytes) -> str:
    if status != health.status:
        return f"it answers {status}, expected is {health.status}"
    if not health.fields:
        return ""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return "its answer is no JSON"
    if not isinstance(found, dict):
        return "its answer is no JSON object"
    wrong = [f"{k} is {found.get(k)!r}, expected is {v!r}" for k, v in health.fields.items() if found.get(k) != v]
    return "; ".join(wrong)


async def wait(health: Health, *, pause: float = 0.2) -> Answer:
    """Ask until the application is well or `within` is over; returns the last answer, seconds from the beginning."""
    started = time.monotonic()
    while True:
        answer = await asyncio.to_thread(ask, health)
        passed = time.monotonic() - started
        if answer.ok or passed >= health.within:
            return msgspec.structs.replace(answer, seconds=round(passed, 3))
        await asyncio.sleep(pause)
