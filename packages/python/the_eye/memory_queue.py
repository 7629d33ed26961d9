"""A queue of events in memory."""

from __future__ import annotations

from collections import deque
from typing import Callable, Deque, List, Optional

MAX_BATCH_EVENTS = 500
MAX_BATCH_BYTES = 512 * 1024


class Batch:
    """Events that are sent together."""

    def __init__(self, events: List[bytes], on_done: Callable[[], None]) -> None:
        self.events = events
        #: To be called once The Eye has responded about each of the events.
        self.done = on_done


class MemoryQueue:
    """Not thread-safe: the client calls it with its lock."""

    def __init__(self) -> None:
        self._events: Deque[bytes] = deque()
        #: Bytes of the events that are not done, including those of a batch that was taken.
        self.size = 0
        #: The number of these events.
        self.count = 0

    def put(self, event: bytes) -> None:
        self._events.append(event)
        self.size += len(event)
        self.count += 1

    def has_batch(self) -> bool:
        """True if waiting for further events would not make the next batch larger."""
        return len(self._events) >= MAX_BATCH_EVENTS or self.size >= MAX_BATCH_BYTES

    def take(self) -> Optional[Batch]:
        """The next batch, or None if the queue is empty."""
        events: List[bytes] = []
        size = 0
        while self._events and len(events) < MAX_BATCH_EVENTS:
            if events and size + len(self._events[0]) > MAX_BATCH_BYTES:
                break
            events.append(self._events.popleft())
            size += len(events[-1])
        return Batch(events, lambda: self._remove(len(events), size)) if events else None

    def _remove(self, count: int, size: int) -> None:
        self.count -= count
        self.size -= size
