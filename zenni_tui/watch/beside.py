"""A station that works beside the screen, in threads that nobody waits for: a dead line can't hold the screen up."""

import asyncio
import threading
from concurrent.futures import Future

from zenni_tui.model.vitals import Alert, Look, Remedy

from .station import Station

_PATIENCE = 2.0


class Beside:
    """What the screen knows of a station: its target's label, its pace, a look, and a deed; both as futures."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.target = station.target.label()
        self.pause = station.watched.limits.every_seconds
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def look(self) -> Future[Look]:
        """Begin a look."""
        return asyncio.run_coroutine_threadsafe(self._station.look(), self._loop)

    def apply(self, alert: Alert, remedy: Remedy) -> Future[None]:
        """Begin to do what a remedy says."""
        future: Future[None] = Future()
        # From now on whoever stops waiting for it leaves it as it is.
        future.set_running_or_notify_cancel()

        def work() -> None:
            try:
                self._station.apply(alert, remedy)
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                future.set_exception(error)
            else:
                future.set_result(None)

        threading.Thread(target=work, daemon=True).start()
        return future

    def close(self) -> None:
        """Let go of the target, and end the loop."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)

    async def _end(self) -> None:
        self._station.close()
        looks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in looks:
            task.cancel()
        if looks:
            await asyncio.wait(looks, timeout=_PATIENCE)
        self._loop.stop()
