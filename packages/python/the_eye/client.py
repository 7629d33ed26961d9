"""The client: accepts events from the application, and sends them from a thread of its own."""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.util
import os
import ssl
import threading
import uuid
import weakref
from datetime import datetime
from typing import Any, Callable, Dict, Mapping, Optional, Union

from .clock import UniqueClock, format_datetime
from .delivery import Delivery
from .disk_queue import DiskQueue
from .encoding import dump, to_json_value, to_text
from .errors import ErrorHook, Reporter, log_error
from .memory_queue import Batch, MemoryQueue
from .sessions import current_session
from .transport import Transport

Event = Dict[str, Any]
BeforeSend = Callable[[Event], Optional[Event]]

#: How often a client with a folder looks for files that other processes have left.
_IDLE_SECONDS = 10.0
_INTERNAL_ERROR_SECONDS = 5.0
_END_OF_THREAD_SECONDS = 0.5

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


class Client:
    """Sends events to The Eye. Thread-safe, and usable on both sides of a fork.

    Apart from the constructor, no method raises: problems go to `on_error`.

    :param url: the address of The Eye, e.g. `https://eye.example.com`
    :param key: an API key of scope `ingest`
    :param session_id: of events that are tracked outside of `session()`. Default: one of this process
    :param spool: a folder. Events are in it before `track` returns, and survive the end of the process. It may be shared
    :param fsync: with `spool`: events also survive a loss of power. Each then waits for the disk
    :param before_send: gets each event, and returns it, a changed one, or None to drop it
    :param on_error: gets each problem as a `ClientError`. Default: logs a warning
    :param flush_interval: seconds that an event waits for others at most
    :param max_queue_bytes: `track` accepts no event beyond them
    :param timeout: seconds to wait for the network, at each step of a request
    :param shutdown_timeout: seconds that `close()` and the end of the program wait for events to be sent
    :param max_backoff: seconds between two attempts at most, where The Eye does not ask for more by `Retry-After`
    :param use_gzip: compress requests of more than 1 KiB. It is given up if the server does not take them
    :param ssl_context: e.g. with a certificate authority of your own. Default: the authorities of the system
    :raises ValueError: if the address is not one of HTTP
    """

    def __init__(
        self,
        url: str,
        key: Optional[str] = None,
        *,
        session_id: Optional[object] = None,
        spool: Union[str, "os.PathLike[str]", None] = None,
        fsync: bool = False,
        before_send: Optional[BeforeSend] = None,
        on_error: ErrorHook = log_error,
        flush_interval: float = 1.0,
        max_queue_bytes: int = 64 * 1024 * 1024,
        timeout: float = 10.0,
        shutdown_timeout: float = 5.0,
        max_backoff: float = 60.0,
        use_gzip: bool = True,
        ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        self._report = Reporter(on_error)
        self._transport = Transport(url, key, timeout, use_gzip, ssl_context)
        self._session_id = None if session_id is None else str(session_id)
        self._spool = None if spool is None else os.fspath(spool)
        self._fsync = fsync
        self._before_send = before_send
        self._flush_interval = flush_interval
        self._max_queue_bytes = max_queue_bytes
        self._shutdown_timeout = shutdown_timeout
        self._max_backoff = max_backoff
        self._closed = False
        #: What `close` has returned. None until then.
        self._sent: Optional[bool] = None
        self._disk: Optional[DiskQueue] = None
        self._reset()
        _clients.add(self)
        if self._disk is not None:
            # What earlier processes have left is sent even if this one tracks nothing.
            with self._changed:
                self._start_thread()

    def _reset(self) -> None:
        """Sets what belongs to this process, and not to the one that it was forked from."""
        # Reentrant, because a signal handler or a finalizer may track an event in the middle of `track`.
        self._changed = threading.Condition(threading.RLock())
        self._clock = UniqueClock()
        self._default_session_id = self._session_id or str(uuid.uuid4())
        self._memory = MemoryQueue()
        self._thread: Optional[threading.Thread] = None
        self._flushes = 0
        self._disk_failed = False
        if self._spool is not None:
            try:
                self._disk = DiskQueue(self._spool, self._fsync, lambda message: self._report("disk", message, lost=1))
            except OSError as error:
                self._report("disk", f"The folder of the queue cannot be used, so events are held in memory: {error}")

    # Tracking

    def track(
        self,
        name: str,
        data: Optional[Mapping[str, Any]] = None,
        *,
        session_id: Optional[object] = None,
        category: str = "track",
        timestamp: Union[datetime, str, None] = None,
    ) -> bool:
        """Accepts an event, which is then sent exactly once. Does not wait for the network.

        :param session_id: default: that of the innermost `session()`, else that of the client
        :param timestamp: default: now, never twice the same. Two equal events with the same timestamp are stored as one
        :returns: False if the event was dropped by `before_send` or not accepted; `on_error` then knows the reason
        """
        try:
            text = self._encode(name, data, session_id, category, timestamp)
            return text is not None and self._accept(text)
        except Exception as error:  # Whatever happens here, the application goes on.
            self._report("internal", f"The event was not accepted: {error!r}", lost=1)
            return False

    def page(
        self,
        path: str,
        data: Optional[Mapping[str, Any]] = None,
        *,
        session_id: Optional[object] = None,
        timestamp: Union[datetime, str, None] = None,
    ) -> bool:
        """Tracks a view of a page. Parameters and result are those of `track`."""
        return self.track(
            "pageview",
            {"path": path, **(data or {})},
            session_id=session_id,
            category="page interaction",
            timestamp=timestamp,
        )

    def _encode(
        self,
        name: str,
        data: Optional[Mapping[str, Any]],
        session_id: Optional[object],
        category: str,
        timestamp: Union[datetime, str, None],
    ) -> Optional[str]:
        session = session_id if session_id is not None else current_session() or self._default_session_id
        moment = self._clock.now() if timestamp is None else timestamp
        try:
            event: Any = {
                "session_id": to_text(session),
                "category": to_text(category),
                "name": to_text(name),
                "data": to_json_value({} if data is None else data),
                "timestamp": format_datetime(moment) if isinstance(moment, datetime) else to_text(moment),
            }
        except Exception as error:  # Values of the application may raise anything when they are read.
            self._report("not_encodable", f"{name!r} was not accepted: {error!r}", lost=1)
            return None
        if self._before_send is None:
            return dump(event)
        try:
            changed = self._before_send(event)
        except Exception as error:
            # The hook may exist to remove personal data, so the event cannot go as it is.
            self._report("hook_failed", f"before_send raised {error!r}", lost=1)
            return None
        if changed is None:
            return None
        try:
            return dump(to_json_value(changed, -1))
        except Exception as error:
            self._report("not_encodable", f"before_send returned {error!r}", lost=1)
            return None

    def _accept(self, text: str) -> bool:
        event = text.encode("utf-8")
        refusal = None
        with self._changed:
            if self._closed:
                refusal = ("closed", "The client is closed.")
            elif self._size() + len(event) > self._max_queue_bytes:
                refusal = ("queue_full", f"{self._max_queue_bytes} bytes of events wait to be sent.")
            else:
                failure = self._put(event)
                self._start_thread()
                self._changed.notify_all()
        # Outside of the lock: the hook may do anything, even wait for another thread that tracks.
        if refusal is not None:
            self._report(*refusal, text, lost=1)
            return False
        if failure is not None:
            self._report("disk", f"Events are held in memory, because the folder of the queue fails: {failure}")
        return True

    def _put(self, event: bytes) -> Optional[OSError]:
        """Returns the failure of the disk, if it is the first one after a success."""
        failure = None
        if self._disk is not None:
            try:
                self._disk.put(event)
                self._disk_failed = False
                return None
            except OSError as error:
                failure = None if self._disk_failed else error
                self._disk_failed = True
        self._memory.put(event)
        return failure

    def _size(self) -> int:
        return self._memory.size + (self._disk.size if self._disk is not None else 0)

    # The end

    def flush(self, timeout: Optional[float] = None) -> bool:
        """Waits until The Eye has responded about all accepted events, or the seconds are over. Returns whether it has.

        Once the client is closed, returns what `close` has returned.
        """
        with self._changed:
            self._flushes += 1
            self._changed.notify_all()
            try:
                # Once the client is closed, nobody sends what is left.
                self._changed.wait_for(lambda: self._size() == 0 or self._sent is not None, timeout)
                return self._size() == 0 if self._sent is None else self._sent
            finally:
                self._flushes -= 1

    def close(self, timeout: Optional[float] = None) -> bool:
        """Flushes, and accepts no further event. Returns whether all events were sent.

        :param timeout: default: `shutdown_timeout`. What is not sent then stays in the folder of the queue, if there is one
        """
        with self._changed:
            if self._closed:
                return bool(self._sent)
            self._closed = True
        self._sent = self.flush(self._shutdown_timeout if timeout is None else timeout)
        with self._changed:
            lost = self._memory.count
            thread, self._thread = self._thread, None
            self._changed.notify_all()
            # Otherwise the thread does it at its end.
            if thread is None and self._disk is not None:
                self._disk.close()
        # Usually it ends at once, and with it the locks. Where it waits for a response, nobody needs to wait with it.
        if thread is not None and thread is not threading.current_thread():
            thread.join(_END_OF_THREAD_SECONDS)
        if lost > 0:
            self._report("lost", f"{lost} events were not sent before the client was closed.", lost=lost)
        return self._sent

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The thread

    def _start_thread(self) -> None:
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="the-eye", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            # The interpreter ends, or the system has no thread left. The event stays in the queue.
            self._thread = None
            return
        if multiprocessing.parent_process() is not None:
            # A child of multiprocessing ends without atexit.
            multiprocessing.util.Finalize(self, _close, args=(weakref.ref(self),), exitpriority=0)

    def _runs(self) -> bool:
        return self._thread is threading.current_thread()

    def _run(self) -> None:
        delivery = Delivery(self._transport, self._report, self._pause, self._max_backoff)
        batch: Optional[Batch] = None
        while self._runs():
            try:
                batch = batch or self._next_batch()
                if batch is not None and delivery.deliver(batch):
                    done, batch = batch.done, None
                    with self._changed:
                        done()
                        self._changed.notify_all()
            except OSError as error:
                self._report("disk", f"The folder of the queue fails: {error}")
                self._pause(_INTERNAL_ERROR_SECONDS)
            except Exception as error:  # Without its thread, the client would send nothing more.
                self._report("internal", f"Sending failed: {error!r}. Events are kept.")
                self._pause(_INTERNAL_ERROR_SECONDS)
        self._transport.close()
        with self._changed:
            if self._disk is not None:
                self._disk.close()

    def _next_batch(self) -> Optional[Batch]:
        """Waits for events. Returns None from time to time, and in the end."""
        with self._changed:
            idle = None
            if self._disk is not None:
                self._disk.adopt()
                idle = _IDLE_SECONDS
            self._changed.wait_for(lambda: self._size() > 0 or not self._runs(), idle)
            # Further events may come, and a request costs more than an event.
            self._changed.wait_for(self._is_due, self._flush_interval)
            if self._size() == 0 or not self._runs():
                return None
            batch = self._memory.take() or (self._disk.take() if self._disk is not None else None)
            if batch is None:
                # A file held no complete event.
                self._changed.notify_all()
            return batch

    def _is_due(self) -> bool:
        return (
            self._flushes > 0
            or not self._runs()
            or self._size() == 0
            or self._memory.has_batch()
            or (self._disk is not None and self._disk.has_batch())
        )

    def _pause(self, seconds: float) -> bool:
        """Waits. Returns False if the client was closed meanwhile."""
        with self._changed:
            return not self._changed.wait_for(lambda: not self._runs(), seconds)

    def _after_fork(self) -> None:
        """In the child. The parent sends what it has accepted, through its own connection and from its own files."""
        if self._disk is not None:
            self._disk.close()
            self._disk = None
        self._transport.forget()
        self._reset()


def _close(client: "weakref.ref[Client]") -> None:
    alive = client()
    if alive is not None:
        alive.close()


def _close_all() -> None:
    for client in list(_clients):
        client.close()


def _reset_all() -> None:
    for client in list(_clients):
        client._after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
