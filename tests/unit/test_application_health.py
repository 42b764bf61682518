"""The application's health is asked of a real server, and only the expected answer is well."""

import asyncio
import socket

import pytest
from web import Page, serving

from zenni_tui.application import health
from zenni_tui.application.health import Health

PAGES = {
    "/well": Page(body=b'{"status": "ok", "database": "postgresql"}'),
    "/ill": Page(500, b"no database"),
    "/moved": Page(302, location="/well"),
    "/page": Page(body=b"<html>"),
    "/list": Page(body=b"[]"),
}


def well(path: str, _: bytes) -> Page:
    """Answer by path."""
    return PAGES[path]


@pytest.mark.parametrize(
    ("path", "fields", "why"),
    [
        ("/well", {}, ""),
        ("/well", {"database": "postgresql"}, ""),
        ("/well", {"database": "sqlite"}, "database is 'postgresql', expected is 'sqlite'"),
        ("/ill", {}, "it answers 500, expected is 200"),
        ("/moved", {}, "it answers 302, expected is 200"),
        ("/page", {"status": "ok"}, "its answer is no JSON"),
        ("/list", {"status": "ok"}, "its answer is no JSON object"),
    ],
)
def test_only_the_expected_answer_is_well(
    path: str, fields: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status and fields decide; a redirect is not followed, and a proxy of the environment is not asked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(well) as url:
        answer = health.ask(Health(url + path, fields=dict(fields)))
    assert (answer.why, answer.ok) == (why, not why)


def test_what_is_no_health_url_is_told() -> None:
    """A closed port, a file and rubbish are no answer, and no traceback."""
    with serving(well) as url:
        pass
    for wrong in (url, "file:///etc/hostname", "rubbish", "http://127.0.0.1:1:1/"):
        assert health.ask(Health(wrong)).why.startswith("no answer: ")


async def test_it_waits_until_the_application_is_up() -> None:
    """An application that starts late is waited for; one that stays ill is told when the time is up."""
    with serving(well) as url:
        ill = await health.wait(Health(f"{url}/ill", within=0.5))
        assert (ill.ok, ill.status) == (False, 500)
        assert ill.seconds >= 0.5
    with socket.socket() as kept:
        # Bound but not listening: connections are refused, and nobody else is given the port meanwhile.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        port = kept.getsockname()[1]
        waiting = asyncio.create_task(health.wait(Health(f"http://127.0.0.1:{port}/well", within=60)))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        with serving(well, port):
            assert (await waiting).ok
