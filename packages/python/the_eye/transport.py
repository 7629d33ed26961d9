"""Sends a body to The Eye over a connection that is kept open."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import ssl
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, List, Optional
from urllib.parse import urlsplit

from .version import VERSION

_MIN_GZIP_BYTES = 1024
_MAX_RESPONSE_BYTES = 4 * 1024 * 1024


class Response:
    def __init__(self, status: int, body: Any, retry_after: Optional[float]) -> None:
        self.status = status
        #: The parsed JSON object, or an empty one.
        self.body: "dict[str, Any]" = body if isinstance(body, dict) else {}
        #: Seconds.
        self.retry_after = retry_after


class Transport:
    """Used by one thread."""

    def __init__(
        self, url: str, key: Optional[str], timeout: float, use_gzip: bool, context: Optional[ssl.SSLContext]
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("The address of The Eye must be like https://eye.example.com.")
        self._host = parts.hostname
        self._port = parts.port
        self._path = parts.path.rstrip("/") + "/events/"
        self._timeout = timeout
        self._gzip = use_gzip
        self._context = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._headers = {"Content-Type": "application/json", "User-Agent": f"the-eye-python/{VERSION}"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._connection: Optional[http.client.HTTPConnection] = None

    def post(self, events: List[bytes]) -> Response:
        """:raises OSError, http.client.HTTPException: if there is no response"""
        body = b"[" + b",".join(events) + b"]"
        headers = self._headers
        if self._gzip and len(body) >= _MIN_GZIP_BYTES:
            response = self._request(gzip.compress(body, 6), {**headers, "Content-Encoding": "gzip"})
            if response.status != 415:
                return response
            # An older release, or a proxy before it, does not decompress.
            self._gzip = False
        return self._request(body, headers)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def forget(self) -> None:
        """In the child after a fork: the connection belongs to the parent."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.sock is not None:
            # Only this descriptor. A regular close of TLS would end the session of the parent.
            os.close(connection.sock.detach())

    def _request(self, body: bytes, headers: "dict[str, str]") -> Response:
        if self._connection is not None:
            try:
                return self._request_once(body, headers)
            except (ConnectionError, http.client.HTTPException):
                # The server may have closed an idle connection meanwhile, which is no outage.
                pass
        return self._request_once(body, headers)

    def _request_once(self, body: bytes, headers: "dict[str, str]") -> Response:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        try:
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            text = response.read(_MAX_RESPONSE_BYTES)
        except BaseException:
            self.close()
            raise
        if response.will_close or not response.isclosed():
            self.close()
        return Response(response.status, _parse(text), _seconds(response.getheader("Retry-After")))

    def _connect(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout, context=self._context
        )


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _seconds(retry_after: Optional[str]) -> Optional[float]:
    """Of seconds or a date (RFC 9110, 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
        return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return None
