"""Middleware for Django 3.2 or later, with asgiref 3.6 or later, that sends an event for each request.

Add it after those of sessions and authentication::

    MIDDLEWARE = [..., "django_middleware.TheEyeMiddleware"]
    THE_EYE_URL = "https://eye.example.com"
    THE_EYE_KEY = "eye_ingest_…"           # where keys are required
    THE_EYE_SPOOL = "/var/lib/shop/events"  # events survive the end of the process; workers share the folder
    THE_EYE_EXCLUDE = ("/static/", "/health")

Views track further events of the same session by `django_middleware.client().track(...)`.
"""

import logging
import time
import uuid
from functools import lru_cache

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import MiddlewareNotUsed
from django.utils.crypto import salted_hmac

import the_eye

logger = logging.getLogger(__name__)


@lru_cache(maxsize=None)
def client():
    """The client of the process. Gunicorn's workers may inherit it: it is safe to fork."""
    return the_eye.Client(
        settings.THE_EYE_URL,
        getattr(settings, "THE_EYE_KEY", None),
        spool=getattr(settings, "THE_EYE_SPOOL", None),
    )


class TheEyeMiddleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response):
        if not getattr(settings, "THE_EYE_URL", None):
            raise MiddlewareNotUsed("THE_EYE_URL is not set.")
        # A wrong address fails here, at the start, and not in requests.
        client()
        self.get_response = get_response
        self.exclude = tuple(getattr(settings, "THE_EYE_EXCLUDE", ()))
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request):
        if self.is_async:
            return self.respond(request)
        began = time.perf_counter()
        with the_eye.session(session_of(request)):
            response = self.get_response(request)
            self.track(request, response, began)
        return response

    async def respond(self, request):
        began = time.perf_counter()
        with the_eye.session(session_of(request)):
            response = await self.get_response(request)
            self.track(request, response, began)
        return response

    def track(self, request, response, began):
        if request.path.startswith(self.exclude):
            return
        match = request.resolver_match
        try:
            user_id = user_of(request)
        except Exception:  # The store of the sessions is another system, which may fail when the view has not.
            logger.exception("The user of the request is unknown")
            user_id = None
        client().track(
            "request",
            {
                "method": request.method,
                # Without the query, which may hold secrets.
                "path": request.path,
                "route": match.route if match else None,
                "status": response.status_code,
                "duration_ms": round((time.perf_counter() - began) * 1000, 3),
                "user_id": user_id,
            },
            category="http",
        )


def session_of(request):
    """Whoever knows the key of a session is logged in as its user, so only a keyed hash of it leaves.

    A request without a session is one of its own.
    """
    key = getattr(getattr(request, "session", None), "session_key", None)
    return salted_hmac("the_eye", key, algorithm="sha256").hexdigest() if key else uuid.uuid4()


def user_of(request):
    """The id of the user, if the view has read the session.

    To read it here would cost a query, and make the response vary by cookie.
    """
    session = getattr(request, "session", None)
    return session.get(SESSION_KEY) if session is not None and session.accessed else None
