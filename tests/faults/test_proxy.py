"""The bad line is as bad as it says, and as good again afterwards."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from zenni_tui.sandbox.proxy import HOST, Line, Proxy, Way

PATIENCE = 20.0


@pytest.fixture
def echo() -> Iterator[int]:
    """Yield the port of a server that sends everything back, and ends when its client does."""
    with socket.create_server((HOST, 0)) as door, ExitStack() as stack:

        def answer(link: socket.socket) -> None:
            with suppress(OSError), link:
                while data := link.recv(65536):
                    link.sendall(data)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    thread = threading.Thread(target=answer, args=(door.accept()[0],))
                    thread.start()
                    stack.callback(thread.join, PATIENCE)

        threading.Thread(target=serve, daemon=True).start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    """Yield a proxy before it."""
    with Proxy(echo) as made:
        yield made


def call(proxy: Proxy) -> socket.socket:
    """Connect through the proxy."""
    link = socket.create_connection((HOST, proxy.port), PATIENCE)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def said(link: socket.socket, data: bytes) -> bytes:
    """Send data and return as many bytes as come back."""
    link.sendall(data)
    return heard(link, len(data))


def heard(link: socket.socket, size: int) -> bytes:
    """Return so many bytes, or fewer at an end."""
    got = b""
    while len(got) < size and (data := link.recv(size - len(got))):
        got += data
    return got


def test_it_passes_what_it_gets(proxy: Proxy) -> None:
    """Bytes arrive whole and in order, several connections at once, and an end arrives as an end."""
    with call(proxy) as one, call(proxy) as two:
        data = bytes(range(256)) * 400
        assert (said(one, data), said(two, b"two")) == (data, b"two")
        assert proxy.connections == 2
        one.shutdown(socket.SHUT_WR)
        assert one.recv(1) == b""
        assert said(two, b"still") == b"still"


def test_it_refuses_and_takes_again_on_the_same_port(proxy: Proxy) -> None:
    """While it refuses, no connection is made; what stood before goes on; afterwards all is as before."""
    with call(proxy) as before:
        said(before, b"a")
        proxy.line = Line(Way.REFUSE)
        with pytest.raises(ConnectionRefusedError):
            call(proxy)
        assert said(before, b"b") == b"b"
        proxy.line = Line()
        with call(proxy) as after:
            assert said(after, b"c") == b"c"


def test_a_cut_is_an_end_or_a_reset(proxy: Proxy) -> None:
    """RST raises in the client, FIN looks like a server that has gone; the next connection works."""
    with call(proxy) as link:
        said(link, b"a")
        proxy.cut(reset=True)
        with pytest.raises(ConnectionResetError):
            link.recv(1)
    with call(proxy) as link:
        said(link, b"a")
        proxy.cut(reset=False)
        assert link.recv(1) == b""
    with call(proxy) as link:
        assert said(link, b"a") == b"a"


def test_a_held_line_acknowledges_and_delivers_later(proxy: Proxy) -> None:
    """Eight megabytes are taken, more than any buffer, nothing comes back, and all of it does when the line passes."""
    with call(proxy) as link:
        said(link, b"a")
        proxy.line = Line(Way.HOLD)
        data = bytes(8 * 1024 * 1024)
        link.sendall(data)
        link.settimeout(0.2)
        with pytest.raises(TimeoutError):
            link.recv(1)
        link.settimeout(PATIENCE)
        proxy.line = Line()
        assert heard(link, len(data)) == data


def test_a_stalled_line_takes_no_more(proxy: Proxy) -> None:
    """A sender comes to a stand, and goes on when the line passes."""
    with call(proxy) as link:
        said(link, b"a")
        proxy.line = Line(Way.STALL)
        link.settimeout(0.5)
        with pytest.raises(TimeoutError):
            link.sendall(bytes(64 * 1024 * 1024))
        proxy.line = Line()
        link.settimeout(PATIENCE)
        assert heard(link, 1024 * 1024) == bytes(1024 * 1024)


def test_latency_is_counted_each_way_and_not_for_each_piece(proxy: Proxy) -> None:
    """An answer takes twice the latency; a hundred messages sent at once take it once, not a hundred times."""
    with call(proxy) as link:
        said(link, b"a")
        proxy.line = Line(latency=0.15)
        started = time.monotonic()
        assert said(link, b"b") == b"b"
        assert time.monotonic() - started >= 0.3
        for _ in range(100):
            link.sendall(b"c")
        assert heard(link, 100) == b"c" * 100
        assert time.monotonic() - started < 100 * 0.15


def test_a_slow_line_has_one_rate_for_all(proxy: Proxy) -> None:
    """Two connections share the rate, and what is waiting goes at once when the line is fast again."""
    with call(proxy) as one, call(proxy) as two:
        assert (said(one, b"a"), said(two, b"a")) == (b"a", b"a")
        proxy.line = Line(rate=20_000)
        started = time.monotonic()
        for link in (one, two):
            link.sendall(bytes(10_000))
        assert (len(heard(one, 10_000)), len(heard(two, 10_000))) == (10_000, 10_000)
        assert time.monotonic() - started >= 0.9
        proxy.line = Line(rate=1)
        one.sendall(bytes(10_000))
        proxy.line = Line()
        assert len(heard(one, 10_000)) == 10_000


def test_a_server_that_is_gone_ends_the_connection() -> None:
    """A client of a proxy before nothing gets an end at once, as from a pooler whose server is down."""
    with socket.create_server((HOST, 0)) as door:
        port = door.getsockname()[1]
    with Proxy(port) as proxy, call(proxy) as link, suppress(ConnectionResetError):
        assert link.recv(1) == b""
