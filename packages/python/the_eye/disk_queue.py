"""A queue of events in a folder. It survives the end of the process.

Each client appends to files of its own, and holds a lock on each of them for as long as it lives. A file without a lock is
left from a process that has ended; whichever client finds it first sends its events. A file is removed once The Eye has
responded about all its events. If the process ends before that, they are sent again, byte by byte the same, and stored once.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections import deque
from typing import Callable, Deque, Optional

from .memory_queue import Batch, MemoryQueue

try:
    import fcntl
except ImportError:  # Windows: a folder can serve one client only.
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".ndjson"

#: Each file that waits costs a file descriptor.
_MAX_SEGMENT_BYTES = 4 * 1024 * 1024
_MAX_ADOPTED = 16
_ADOPTION_INTERVAL_SECONDS = 10.0


class _Segment:
    """A file that this process has locked."""

    def __init__(self, path: str, fd: int, size: int) -> None:
        self.path = path
        self.fd = fd
        #: Bytes of complete lines.
        self.size = size

    def append(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(self.fd, view) :]
        self.size += len(line)

    def read(self) -> bytes:
        chunks = []
        os.lseek(self.fd, 0, os.SEEK_SET)
        left = self.size
        while left > 0:
            chunk = os.read(self.fd, left)
            if not chunk:
                break
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)

    def remove(self) -> None:
        # First removed, then unlocked: in between, nobody else can adopt it.
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        finally:
            os.close(self.fd)


class DiskQueue:
    """Not thread-safe: the client calls it with its lock."""

    def __init__(self, folder: str, fsync: bool, on_corrupt: Callable[[str], None]) -> None:
        self._folder = folder
        self._fsync = fsync
        self._on_corrupt = on_corrupt
        self._current: Optional[_Segment] = None
        self._sealed: Deque[_Segment] = deque()
        self._reading: Optional[_Segment] = None
        self._read = MemoryQueue()
        self._next_adoption = 0.0
        #: Bytes of the events that are not done, including those of a batch that was taken.
        self.size = 0
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def put(self, event: bytes) -> None:
        """:raises OSError: if the event is not written"""
        segment = self._current
        if segment is None or segment.size >= _MAX_SEGMENT_BYTES:
            self._seal()
            segment = self._current = self._create()
        line = event + b"\n"
        try:
            segment.append(line)
            if self._fsync:
                os.fsync(segment.fd)
        except OSError:
            # A part of the line may be in the file. Whoever reads the file ignores its end, if no other line follows.
            self._seal()
            raise
        finally:
            self._recount()

    def has_batch(self) -> bool:
        return len(self._sealed) > 0 or self._reading is not None

    def take(self) -> Optional[Batch]:
        """The next batch, or None if the queue is empty. :raises OSError: if a file cannot be read"""
        while True:
            batch = self._read.take()
            if batch is not None:
                return Batch(batch.events, lambda: self._done(batch))
            if self._reading is not None:
                self._remove_reading()
            if not self._sealed:
                self._seal()
            if not self._sealed:
                return None
            self._load(self._sealed[0])
            self._reading = self._sealed.popleft()

    def adopt(self) -> None:
        """Takes over files of processes that have ended, once in a while. :raises OSError: if the folder cannot be read"""
        if self._sealed or time.monotonic() < self._next_adoption:
            return
        self._next_adoption = time.monotonic() + _ADOPTION_INTERVAL_SECONDS
        for name in sorted(os.listdir(self._folder)):
            if len(self._sealed) >= _MAX_ADOPTED:
                # There may be more of them, which must not wait for the interval.
                self._next_adoption = 0.0
                break
            path = os.path.join(self._folder, name)
            if name.endswith(_SUFFIX) and not self._owns(path):
                self._adopt(path)
        self._recount()

    def close(self) -> None:
        """Leaves all files to the next client. Also called in the child after a fork, whose parent keeps the locks."""
        for segment in (self._current, self._reading, *self._sealed):
            if segment is not None:
                os.close(segment.fd)
        self._current = self._reading = None
        self._sealed.clear()
        self._read = MemoryQueue()
        self.size = 0

    def _seal(self) -> None:
        if self._current is not None:
            self._sealed.append(self._current)
            self._current = None

    def _create(self) -> _Segment:
        while True:
            name = f"{time.time_ns()}-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
            path = os.path.join(self._folder, name)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            # Between the creation and the lock, another client may have taken the empty file for one that was left.
            if _lock(fd) and os.fstat(fd).st_nlink > 0:
                if self._fsync:
                    _fsync_folder(self._folder)
                return _Segment(path, fd, 0)
            os.close(fd)

    def _owns(self, path: str) -> bool:
        # Without locks, nothing else distinguishes this client's files from those that were left.
        return any(
            segment is not None and segment.path == path
            for segment in (self._current, self._reading, *self._sealed)
        )

    def _adopt(self, path: str) -> None:
        try:
            fd = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return
        # The file may have been removed by its owner after it was opened.
        if not _lock(fd) or os.fstat(fd).st_nlink == 0:
            os.close(fd)
            return
        segment = _Segment(path, fd, os.fstat(fd).st_size)
        if segment.size == 0:
            segment.remove()
        else:
            self._sealed.append(segment)

    def _load(self, segment: _Segment) -> None:
        # What follows the last line break is the beginning of an event whose writer was killed: it was not accepted.
        for line in segment.read().split(b"\n")[:-1]:
            try:
                json.loads(line)
            except ValueError:
                # After a loss of power, blocks of a file may be missing that were not fsynced.
                self._on_corrupt(f"A line of {segment.path} is not JSON; it was skipped.")
            else:
                self._read.put(line)

    def _done(self, batch: Batch) -> None:
        batch.done()
        if self._read.size == 0:
            self._remove_reading()

    def _remove_reading(self) -> None:
        segment, self._reading = self._reading, None
        if segment is not None:
            segment.remove()
        self._recount()

    def _recount(self) -> None:
        segments = (self._current, self._reading, *self._sealed)
        self.size = sum(segment.size for segment in segments if segment is not None)


def _lock(fd: int) -> bool:
    if fcntl is None:
        return True
    try:
        # Not lockf, whose locks end as soon as the process closes any descriptor of the file.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fsync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
