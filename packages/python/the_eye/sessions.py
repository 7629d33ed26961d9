"""The session of the code that runs."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Iterator, Optional

_current: ContextVar[Optional[str]] = ContextVar("the_eye_session", default=None)


@contextmanager
def session(session_id: object) -> Iterator[str]:
    """Events that are tracked within the block belong to this session, in this thread or task."""
    text = str(session_id)
    token = _current.set(text)
    try:
        yield text
    finally:
        _current.reset(token)


def current_session() -> Optional[str]:
    return _current.get()
