"""Keys that are typed ahead: each goes where the one before it led to, however fast they come."""

import time
from collections import deque

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.widget import Widget

Typed = events.Key | events.Paste
_LOST_SECONDS = 2.0


class Followed(Message):
    """Goes the way of a key behind it: when it is back, all that handled the key on its way has done so."""

    def __init__(self, place: Widget, before: Widget | None) -> None:
        super().__init__()
        self.place = place
        self.before = before


class TypedAhead(App[None]):
    """Hands out one key at a time.

    Textual sends a key to whatever has the focus when it arrives; what the key does comes later, from queue to queue.
    A key behind Tab would go to the field before, one behind a key that asks a question past the question. Here it
    waits until the focus stands still.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead: deque[Typed] = deque()
        self._on_its_way: Followed | None = None
        self._since = 0.0

    async def on_event(self, event: events.Event) -> None:
        """Hold a key back while another one is on its way, unless nothing was seen of that for too long."""
        if not isinstance(event, Typed) or event.is_forwarded:
            await super().on_event(event)
            return
        self._ahead.append(event)
        if self._on_its_way is None or time.monotonic() - self._since > _LOST_SECONDS:
            await self._hand_out()

    async def _hand_out(self) -> None:
        self._since = time.monotonic()
        place = self._place
        await super().on_event(self._ahead.popleft())
        self._follow(place, None)

    @property
    def _place(self) -> Widget | None:
        """Return where a key goes now; None when the last screen has closed."""
        return (self.focused or self.screen) if self.screen_stack else None

    def _follow(self, place: Widget | None, before: Widget | None) -> None:
        self._on_its_way = Followed(place, before) if place is not None else None
        if place is not None and self._on_its_way is not None:
            place.post_message(self._on_its_way)

    async def on_followed(self, message: Followed) -> None:
        """Send it once more, since what a key does may send messages of its own, until the focus stands still."""
        if message is not self._on_its_way:
            return
        if message.place is not message.before:
            self._follow(self._place, message.place)
            return
        self._on_its_way = None
        if self._ahead:
            await self._hand_out()

    def pop_screen(self) -> AwaitComplete:
        """Close the screen in front; what was on its way there is followed from the one below."""
        closing = super().pop_screen()
        if self._on_its_way is not None:
            self._follow(self._place, None)
        return closing
