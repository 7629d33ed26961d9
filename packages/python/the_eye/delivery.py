"""What follows from the response to a batch."""

from __future__ import annotations

import http.client
import random
from typing import Callable, List, Optional

from .errors import Reporter
from .memory_queue import Batch
from .transport import Response, Transport

_FIRST_BACKOFF_SECONDS = 0.5
_MAX_RETRY_AFTER_SECONDS = 3600.0

#: Between two attempts with a key that is not accepted, or at an address that is not The Eye.
_MISCONFIGURED_SECONDS = 60.0


class Delivery:
    """Sends a batch until The Eye has responded about each of its events. Used by one thread."""

    def __init__(
        self, transport: Transport, report: Reporter, pause: Callable[[float], bool], max_backoff: float
    ) -> None:
        """:param pause: waits for so many seconds; returns False if no further attempt shall follow"""
        self._transport = transport
        self._report = report
        self._pause = pause
        self._max_backoff = max_backoff
        self._failures = 0
        #: The code of the problem that was reported. It is reported once, until an attempt succeeds.
        self._reported: Optional[str] = None

    def deliver(self, batch: Batch) -> bool:
        """Returns False if the attempts were ended before The Eye had responded about all events."""
        parts = [batch.events]
        while parts:
            events = parts[-1]
            response = self._attempt(events)
            if response is None:
                if not self._pause(self._backoff(None)):
                    return False
                continue
            status = response.status
            if _is_verdict(response):
                self._report_refused(events, response)
                parts.pop()
            elif _may_be_too_much(response):
                # Halves are tried until the event that is the reason stands alone.
                parts.pop()
                if len(events) > 1:
                    middle = len(events) // 2
                    parts += [events[middle:], events[:middle]]
                else:
                    code = "too_large" if status == 413 else "refused"
                    self._report(code, _reason(response), events[0].decode(), lost=1)
            elif not self._pause(self._delay_after(response)):
                return False
        return True

    def _attempt(self, events: List[bytes]) -> Optional[Response]:
        try:
            response = self._transport.post(events)
        except (OSError, http.client.HTTPException) as error:
            self._report_once("unavailable", f"The Eye cannot be reached: {error!r}. Events are kept.")
            return None
        if _is_verdict(response) or _may_be_too_much(response):
            self._failures = 0
            self._reported = None
        return response

    def _delay_after(self, response: Response) -> float:
        status = response.status
        if status in (408, 429) or status >= 500:
            self._report_once("unavailable", f"{_reason(response)} Events are kept.")
            return self._backoff(response.retry_after)
        code = "unauthorized" if status in (401, 403) else "misconfigured"
        self._report_once(code, f"{_reason(response)} Events are kept.")
        return _MISCONFIGURED_SECONDS * random.uniform(1, 1.5)

    def _backoff(self, retry_after: Optional[float]) -> float:
        delay = min(_FIRST_BACKOFF_SECONDS * 2.0 ** min(self._failures, 10), self._max_backoff)
        self._failures += 1
        # Clients that lost the same server must not come back at the same moment.
        jittered = delay * random.uniform(0.5, 1)
        if retry_after is None:
            return jittered
        return min(retry_after, _MAX_RETRY_AFTER_SECONDS) + random.uniform(0, delay)

    def _report_refused(self, events: List[bytes], response: Response) -> None:
        rejected = response.body.get("rejected")
        for item in rejected if isinstance(rejected, list) else []:
            index = item.get("index") if isinstance(item, dict) else None
            if isinstance(index, int) and 0 <= index < len(events):
                self._report("refused", f"{item.get('errors')}", events[index].decode(), lost=1)

    def _report_once(self, code: str, message: str) -> None:
        if self._reported != code:
            self._reported = code
            self._report(code, message)


def _is_verdict(response: Response) -> bool:
    """True if the response reports on each event. A proxy or a login page may respond with the same status."""
    return response.status in (202, 400) and "accepted" in response.body


def _may_be_too_much(response: Response) -> bool:
    """True if a smaller request may succeed. A 400 of The Eye has a code; a proxy responds 400 to what it does not understand."""
    return response.status == 413 or response.status == 400 and "code" in response.body


def _reason(response: Response) -> str:
    detail = response.body.get("detail") or response.body.get("title") or "no reason was given"
    return f"The Eye responded {response.status}: {detail}"
