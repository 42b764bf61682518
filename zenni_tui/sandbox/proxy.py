"""A TCP proxy that is a bad line, for drills and tests: it passes, refuses, cuts, holds and slows, while it runs."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

HOST = "127.0.0.1"
_TICK = 0.005
_CHUNK = 64 * 1024
_WINDOW = 1024 * 1024
_SLICES = 50
"""A slow line carries this many pieces a second."""
_BUFFER = 128 * 1024
_RESET = struct.pack("ii", 1, 0)


class Way(Enum):
    """What the line does with what it is given."""

    PASS = "pass"  # noqa: S105 - no password
    """Delivers."""
    REFUSE = "refuse"
    """Takes no new connection; those that stand go on."""
    HOLD = "hold"
    """Takes and acknowledges everything and delivers it when the line passes again, as a tunnel with a lost far end."""
    STALL = "stall"
    """Takes nothing more, so that a sender finds its window shut."""


@dataclass(frozen=True)
class Line:
    """How the line is: `latency` in seconds each way, `rate` in bytes per second each way (None: no limit)."""

    way: Way = Way.PASS
    latency: float = 0.0
    rate: float | None = None

    @property
    def window(self) -> float:
        """Return how many bytes may be under way in one direction of one connection."""
        if self.way is Way.HOLD:
            return float("inf")
        return _WINDOW if self.rate is None else max(_CHUNK, 2 * self.rate * self.latency)


class _Road:
    """One direction of the line, shared by all connections, so that its rate is one for all."""

    def __init__(self) -> None:
        self._free = 0.0

    async def carry(self, size: int, rate: float) -> None:
        """Wait until the road has carried so many bytes at that rate."""
        now = asyncio.get_running_loop().time()
        self._free = max(self._free, now - 1 / _SLICES) + size / rate
        await asyncio.sleep(self._free - now)


class Proxy:
    """Stands before a server on 127.0.0.1 in a thread of its own; use it as a context manager.

    `port` is where it listens, `line` may be set at any time and acts at once on connections that stand, too.
    """

    def __init__(self, port: int, *, host: str = HOST) -> None:
        self._server = (host, port)
        self._line = Line()
        self._links: dict[asyncio.Task[None], tuple[socket.socket, socket.socket]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="proxy")
        self._door = _bound(0)
        self.port: int = self._door.getsockname()[1]
        self._accepting: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def line(self) -> Line:
        """Return how the line is now."""
        return self._line

    @line.setter
    def line(self, line: Line) -> None:
        before, self._line = self._line, line
        if (line.way is Way.REFUSE) != (before.way is Way.REFUSE):
            self._do(self._shut() if line.way is Way.REFUSE else self._open())

    @property
    def connections(self) -> int:
        """Return how many connections stand."""
        return len(self._links)

    def cut(self, *, reset: bool = True) -> None:
        """Break all connections that stand, on both sides: by RST, or by FIN with what is under way lost."""
        self._do(self._cut(reset=reset))

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def _open(self) -> None:
        self._door.listen()
        self._accepting = self._loop.create_task(self._accept())

    async def _shut(self) -> None:
        """Listen no more, but keep the port: a bound socket that does not listen refuses."""
        if self._accepting is not None:
            await _ended(self._accepting)
        self._door.close()
        self._door = _bound(self.port)

    async def _close(self) -> None:
        await self._shut()
        self._door.close()
        await self._cut(reset=True)

    async def _cut(self, *, reset: bool) -> None:
        for task, ends in list(self._links.items()):
            for end in ends:
                with contextlib.suppress(OSError):
                    if reset:
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    else:
                        end.shutdown(socket.SHUT_RDWR)
            await _ended(task)

    async def _accept(self) -> None:
        roads = _Road(), _Road()
        while True:
            client, _ = await self._loop.sock_accept(self._door)
            server = _tcp()
            task = self._loop.create_task(self._link(client, server, roads))
            self._links[task] = client, server
            task.add_done_callback(self._links.pop)

    async def _link(self, client: socket.socket, server: socket.socket, roads: tuple[_Road, _Road]) -> None:
        with client, server:
            client.settimeout(0)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                await self._loop.sock_connect(server, self._server)
                async with asyncio.TaskGroup() as group:
                    for source, sink, road in ((client, server, roads[0]), (server, client, roads[1])):
                        flow = _Flow(self, source, sink, road)
                        group.create_task(flow.take())
                        group.create_task(flow.deliver())
            except* OSError:
                pass  # a side that breaks off, or a server that isn't there, ends both


class _Flow:
    """One direction of one connection; what is under way waits in a queue with the time when it is due."""

    def __init__(self, proxy: Proxy, source: socket.socket, sink: socket.socket, road: _Road) -> None:
        self._proxy, self._source, self._sink, self._road = proxy, source, sink, road
        self._under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._size = 0

    async def take(self) -> None:
        """Read until the sender ends, as far as the line's window allows."""
        loop = asyncio.get_running_loop()
        data = b"?"
        while data:
            await self._until(lambda line: line.way is not Way.STALL and self._size < line.window)
            data = await loop.sock_recv(self._source, _CHUNK)
            self._size += len(data)
            self._under_way.put_nowait((loop.time() + self._proxy.line.latency, data))

    async def deliver(self) -> None:
        """Send on what is due, in pieces when the line is slow; an end is passed on as an end."""
        loop = asyncio.get_running_loop()
        while True:
            due, data = await self._under_way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                await self._until(_passes)
                self._sink.shutdown(socket.SHUT_WR)
                return
            await self._send(memoryview(data))

    async def _send(self, rest: memoryview) -> None:
        while rest:
            await self._until(_passes)
            rate = self._proxy.line.rate
            piece = rest if rate is None else rest[: max(1, int(rate / _SLICES))]
            if rate is not None:
                await self._road.carry(len(piece), rate)
            await asyncio.get_running_loop().sock_sendall(self._sink, piece)
            self._size -= len(piece)
            rest = rest[len(piece) :]

    async def _until(self, true: Callable[[Line], bool]) -> None:
        while not true(self._proxy.line):  # noqa: ASYNC110 - the line is switched from another thread
            await asyncio.sleep(_TICK)


def _passes(line: Line) -> bool:
    return line.way not in (Way.HOLD, Way.STALL)


def _tcp() -> socket.socket:
    made = socket.socket()
    made.settimeout(0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _bound(port: int) -> socket.socket:
    made = _tcp()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((HOST, port))
    return made


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
