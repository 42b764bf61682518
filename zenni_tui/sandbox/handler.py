"""The sample application's HTTP answers."""

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Protocol, cast
from urllib.parse import parse_qs, urlsplit

from zenni_tui.errors import UsageError

from .bookings import DatabaseSilent, NewBooking, Store, parse_time
from .pages import POLICY, page

LONGEST_BODY = 65536
MOST_BOOKINGS = 1000
SHOWN_BOOKINGS = 50
NEEDED = ("serviceId", "customerName", "customerEmail", "startTime")
LANGUAGES = ("fi", "en", "sv")
LOCAL_NAMES = ("127.0.0.1", "localhost")


class HasStore(Protocol):
    """What the handler needs to know of the application."""

    store: Store

    @property
    def ailing(self) -> bool:
        """Return whether its health is bad."""


class HasApplication(Protocol):
    """What the handler needs to know of its server."""

    application: HasStore


class Handler(BaseHTTPRequestHandler):
    """One request."""

    timeout = 10
    server_version = "zenni-sample"

    def do_GET(self) -> None:
        """Answer `/`, `/bookings` and `/health`."""
        pages = {"/": self._home, "/bookings": self._list, "/health": self._health}
        self._guarded(pages.get(urlsplit(self.path).path, self._unknown))

    def do_POST(self) -> None:
        """Take a booking, as JSON or from the form."""
        self._guarded(self._book if urlsplit(self.path).path == "/bookings" else self._unknown)

    def log_message(self, *_: object) -> None:
        """Log nothing: requests carry customers' data."""

    @property
    def _store(self) -> Store:
        return cast("HasApplication", self.server).application.store

    def _guarded(self, answer: Callable[[], None]) -> None:
        """Answer only who names this machine, as a page elsewhere that was led here would not."""
        try:
            if not _is_local(self.headers):
                self._send_json(HTTPStatus.FORBIDDEN, {"error": "this application serves its own machine only"})
                return
            answer()
        except DatabaseSilent as error:
            self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"the database does not answer: {error}"})
        except (UsageError, ValueError) as error:
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _unknown(self) -> None:
        self._send_json(HTTPStatus.NOT_FOUND, {"error": "there is no such page"})

    def _home(self) -> None:
        store = self._store
        text = page(store.kind, store.count(), store.upcoming(SHOWN_BOOKINGS), store.services())
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", text.encode(errors="replace"))

    def _list(self) -> None:
        asked = parse_qs(urlsplit(self.path).query).get("limit", [str(SHOWN_BOOKINGS)])[0]
        limit = min(max(int(asked), 0), MOST_BOOKINGS)
        self._send_json(HTTPStatus.OK, [booking.as_json() for booking in self._store.newest(limit)])

    def _health(self) -> None:
        store = self._store
        if cast("HasApplication", self.server).application.ailing:
            self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"status": "failing", "database": store.kind})
            return
        self._send_json(HTTPStatus.OK, {"status": "ok", "database": store.kind, "bookings": store.count()})

    def _book(self) -> None:
        is_form = self.headers.get_content_type() == "application/x-www-form-urlencoded"
        key = self._store.add(_booking(_fields(self._body(), is_form=is_form)))
        if is_form:
            self._send(HTTPStatus.SEE_OTHER, "text/plain", b"", location="/")
        else:
            self._send_json(HTTPStatus.CREATED, {"id": key})

    def _body(self) -> str:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 <= length <= LONGEST_BODY:
            self.close_connection = True
            raise UsageError(f"a booking has at most {LONGEST_BODY} bytes")
        return self.rfile.read(length).decode()

    def _send_json(self, status: HTTPStatus, content: object) -> None:
        self._send(status, "application/json", json.dumps(content, ensure_ascii=True).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes, *, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)


def _is_local(headers: "_Headers") -> bool:
    host = headers.get("Host") or ""
    origin = headers.get("Origin")
    is_here = host.rsplit(":", 1)[0] in LOCAL_NAMES
    return is_here and origin in {None, f"http://{host}"}


class _Headers(Protocol):
    def get(self, name: str, /) -> str | None: ...


def _fields(body: str, *, is_form: bool) -> dict[str, str]:
    """Return the non-empty text fields; raises ValueError for a body that is neither form nor JSON object."""
    content: object = {k: v[0] for k, v in parse_qs(body).items()} if is_form else json.loads(body)
    if not isinstance(content, dict):
        raise UsageError("a booking is a JSON object")
    return {str(k): v for k, v in content.items() if isinstance(v, str) and v.strip()}


def _booking(fields: dict[str, str]) -> NewBooking:
    missing = [name for name in NEEDED if name not in fields]
    if missing:
        raise UsageError(f"{', '.join(missing)} is missing")
    if any("\0" in value for value in fields.values()):
        raise UsageError("a booking holds no NUL")
    language = fields.get("language", LANGUAGES[0])
    return NewBooking(
        service=fields["serviceId"],
        name=fields["customerName"],
        email=fields["customerEmail"],
        phone=fields.get("customerPhone"),
        start=parse_time(fields["startTime"]),
        notes=fields.get("notes"),
        language=language if language in LANGUAGES else LANGUAGES[0],
    )
