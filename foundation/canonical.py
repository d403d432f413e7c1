"""
Values as bytes that are the same everywhere: canonical JSON, and its SHA-256.

Everything that is hashed, signed or compared goes through here.

Source: RFC 8785 (JSON Canonicalization Scheme)
"""

import enum
import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import rfc8785
from pydantic import BaseModel

from foundation.errors import InvalidInput

# Beyond this, two JSON readers may disagree about an integer (RFC 8785 appendix D, RFC 7493 section 2.2).
GREATEST_SAFE_INTEGER = 2**53 - 1


def canonical_bytes(value: Any) -> bytes:
    """
    Return the canonical JSON of a value as UTF-8 bytes, after `jsonable()`.

    :raises InvalidInput: if the value, or one within it, has no single JSON form
    """
    return rfc8785.dumps(jsonable(value))


def digest(value_or_bytes: Any) -> str:
    """
    Return the SHA-256, in lowercase hex, of bytes as they are or of any other value's canonical JSON.

    :raises InvalidInput: if the value has no single JSON form
    """
    data = bytes(value_or_bytes) if isinstance(value_or_bytes, bytes | bytearray) else canonical_bytes(value_or_bytes)
    return hashlib.sha256(data).hexdigest()


def jsonable(value: Any) -> Any:
    """
    Return a value in JSON's types alone, each in one fixed form.

    UUIDs are lowercase with hyphens. Instants are UTC, `2026-11-24T13:05:00Z`, with six digits of a second
    (`…00.000250Z`) only if it has a fraction. Dates are `2026-11-24`. Decimals are strings, in fixed point as they
    stand: `1.50` stays `1.50`, so a scale is part of what is hashed. Enum members are their values, tuples lists,
    sets lists sorted by their members' canonical bytes, pydantic models objects.

    :raises InvalidInput: if a number is NaN, infinite or an integer beyond 2^53 - 1; if text holds half a surrogate
        pair; if an instant has no time zone; if a key is not text; or if the type has no agreed form
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return jsonable(value.value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _float(value)
    return _composite(value) if isinstance(value, Mapping | list | tuple | set | frozenset) else _scalar(value)


def instant(value: datetime) -> str:
    """
    Return an instant in UTC as `jsonable()` writes it.

    :raises InvalidInput: if it has no time zone
    """
    if value.utcoffset() is None:
        raise InvalidInput(f"The instant {value.isoformat()} has no time zone. Send it with one, such as Z or +01:00.")
    moved = value.astimezone(UTC).replace(tzinfo=None)
    return moved.isoformat(timespec="microseconds" if moved.microsecond else "seconds") + "Z"


def _composite(value: Any) -> Any:
    if isinstance(value, Mapping):
        result = {_key(key): jsonable(item) for key, item in value.items()}
        if len(result) != len(value):
            raise InvalidInput("Two keys of an object have the same JSON form. Name each member once.")
        return result
    if isinstance(value, set | frozenset):
        return sorted((jsonable(item) for item in value), key=rfc8785.dumps)
    return [jsonable(item) for item in value]


def _scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, BaseModel):
        return jsonable(value.model_dump(mode="python", by_alias=True))
    if isinstance(value, time):
        raise InvalidInput("A time of day alone has no agreed form. Send an instant, or text.")
    raise InvalidInput(
        f"A value of type {type(value).__name__} has no agreed JSON form. Turn it into text or numbers first."
    )


def _key(key: Any) -> str:
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, UUID):
        return str(key)
    if not isinstance(key, str):
        raise InvalidInput(f"The key {key!r} of an object is not text. Name it with text.")
    return _text(key)


def _text(value: str) -> str:
    plain = str.__str__(value)
    try:
        plain.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("The text holds half a surrogate pair, which is not a character. Remove it.") from error
    return plain


def _integer(value: int) -> int:
    if abs(value) > GREATEST_SAFE_INTEGER:
        raise InvalidInput(f"The integer {value} is beyond 2^53 - 1, where JSON readers disagree. Send it as a string.")
    return int(value)


def _float(value: float) -> float:
    if math.isnan(value) or math.isinf(value):
        raise InvalidInput("NaN and infinity are not JSON numbers. Leave the value out, or send what is meant as text.")
    return float(value)


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise InvalidInput("A decimal that is NaN or infinite cannot be written. Leave it out, or send a number.")
    return f"{value:f}"
