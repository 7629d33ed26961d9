"""Sends events to The Eye. See docs/send/python.md."""

from .client import Client
from .errors import ClientError
from .sessions import session

__all__ = ["Client", "ClientError", "session"]
