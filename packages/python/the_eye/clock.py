"""Timestamps with microseconds."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Callable

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# A clock that was set back by more than this was wrong before. To go on from its wrong time would make The Eye refuse events
# as lying in the future.
_MAX_AHEAD_US = 60_000_000


def _system_time_us() -> int:
    return time.time_ns() // 1000


class UniqueClock:
    """Returns increasing timestamps, none of them twice.

    The identity of an event in The Eye consists of its five fields. Two equal events would become one if they also had the
    same timestamp.
    """

    def __init__(self, time_us: Callable[[], int] = _system_time_us) -> None:
        self._time_us = time_us
        self._last = 0
        # Reentrant, because a signal handler may track an event in the middle of another one.
        self._lock = threading.RLock()

    def now(self) -> str:
        with self._lock:
            now = self._time_us()
            if self._last - _MAX_AHEAD_US <= now <= self._last:
                now = self._last + 1
            self._last = now
        return format_us(now)


def format_us(microseconds: int) -> str:
    """`2021-01-01T09:15:29.243860Z`, from microseconds since 1970."""
    # Not `fromtimestamp`, whose double cannot hold all microseconds of later centuries.
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_datetime(moment: datetime) -> str:
    """A moment in UTC. One without a zone is local time, as for `datetime.timestamp()`."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
