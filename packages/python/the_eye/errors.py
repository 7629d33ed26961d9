"""What the client reports to `on_error`. Nothing of this is raised into the application."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Callable, Optional

logger = logging.getLogger("the_eye")


@dataclass(frozen=True)
class ClientError:
    """A problem of the client.

    `code` is one of:

    - `not_encodable`: the event cannot be turned into JSON; it was not accepted
    - `hook_failed`: `before_send` raised; the event was not accepted
    - `queue_full`: the event was not accepted
    - `closed`: the event was not accepted, because the client is closed
    - `disk`: the folder of the queue cannot be used; events are held in memory meanwhile
    - `refused`: The Eye refused the event as invalid; it was dropped
    - `too_large`: the event exceeds the limit of a request; it was dropped
    - `unauthorized`: the key is not accepted (401, 403); events are kept, and sent again later
    - `misconfigured`: something that does not speak the protocol of The Eye responded; events are kept
    - `unavailable`: The Eye cannot be reached, or responded 408, 429 or 5xx; events are kept
    - `lost`: the client was closed before these events were sent, and has no folder to keep them in
    - `internal`: a bug of the client; events are kept
    """

    code: str
    message: str
    #: The event that was dropped or not accepted, as JSON, where there is one.
    event: Optional[str] = None
    #: The number of events that were dropped or not accepted; 0 if they are kept.
    lost: int = 0


ErrorHook = Callable[[ClientError], Any]


def log_error(error: ClientError) -> None:
    """The default hook. It leaves out the event, which may hold personal data."""
    logger.warning("%s: %s", error.code, error.message)


class Reporter:
    """Calls the hook of the application, and never raises."""

    def __init__(self, hook: ErrorHook) -> None:
        self._hook = hook

    def __call__(self, code: str, message: str, event: Optional[str] = None, lost: int = 0) -> None:
        try:
            self._hook(ClientError(code, message, event, lost))
        except Exception:  # The hook is code of the application, and its failure must not reach its caller.
            logger.exception("on_error raised")
