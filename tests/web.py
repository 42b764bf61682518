"""A small application that answers over HTTP on 127.0.0.1 as a test tells it to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Page(NamedTuple):
    """One answer; with a `location` it is a redirect."""

    status: int = 200
    body: bytes = b""
    location: str = ""


@contextmanager
def serving(answer: Callable[[str, bytes], Page], port: int = 0) -> Iterator[str]:
    """Serve what `answer` makes of each request's path and body, on that port or a free one; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer a GET or a POST."""
            page = answer(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(page.status)
            if page.location:
                self.send_header("Location", page.location)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        do_POST = do_GET  # noqa: N815 - the base's name

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
