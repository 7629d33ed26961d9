"""Turns values of Python into JSON that The Eye stores exactly.

The Eye refuses numbers that a double cannot hold, NaN, U+0000 and halves of surrogate pairs. docs/send/python.md has the
table of what becomes of each type.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from enum import Enum
from numbers import Integral
from typing import Any, Union

MAX_SAFE_INTEGER = 2**53 - 1

#: The default of DEPTH_LIMIT of The Eye. It also ends values that contain themselves.
MAX_DEPTH = 100

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")

Json = Union[None, bool, int, float, str, "list[Any]", "dict[str, Any]"]


class EncodingError(Exception):
    """A value cannot be turned into JSON."""


def to_text(value: object) -> str:
    """A text without characters that PostgreSQL cannot store."""
    # Of a subclass, the text that it contains, not what its __str__ makes of it.
    text = str.__str__(value) if isinstance(value, str) else str(value)
    return _NOT_STORABLE.sub("\ufffd", text)


def to_json_value(value: object, depth: int = 0) -> Json:
    """A copy of a value that consists of JSON's types alone.

    :raises EncodingError: if it is nested too deep or two keys of an object become the same text
    """
    if value is None or value is True or value is False:
        return value  # type: ignore[return-value]
    if isinstance(value, Enum):
        return to_json_value(value.value, depth + 1)
    if isinstance(value, str):
        return to_text(value)
    if isinstance(value, Integral):
        number = int(value)
        return number if abs(number) <= MAX_SAFE_INTEGER else str(number)
    if isinstance(value, float):
        return _from_float(float(value))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _from_float(value.total_seconds())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if depth > MAX_DEPTH:
        raise EncodingError(f"nested more than {MAX_DEPTH} levels deep")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return _from_mapping(fields, depth)
    if isinstance(value, Mapping):
        return _from_mapping(value, depth)
    if isinstance(value, Set):
        # In an order that does not depend on the process.
        return sorted((to_json_value(item, depth + 1) for item in value), key=dump)
    if isinstance(value, Sequence):
        return [to_json_value(item, depth + 1) for item in value]
    # Decimal, UUID, Path, lazy translations of Django, and everything else.
    return to_text(value)


def dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _from_float(number: float) -> Json:
    if not math.isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    # The Eye refuses -0, whose sign canonical JSON loses.
    return number if number != 0 else 0.0


def _from_mapping(mapping: Mapping[Any, Any], depth: int) -> "dict[str, Json]":
    result: "dict[str, Json]" = {}
    for key, value in mapping.items():
        text = to_text(key.value if isinstance(key, Enum) else key)
        if text in result:
            raise EncodingError(f"two keys of an object become {text!r}")
        result[text] = to_json_value(value, depth + 1)
    return result
