"""JSON bodies that have one meaning and can be stored; any other is refused before a view reads it."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

GREATEST_DEPTH = 64
# Longer digit strings cost quadratic time to read and fit no column.
GREATEST_NUMBER_LENGTH = 400


class StrictJSONParser(BaseParser):
    """
    Read `application/json`, and refuse with 400 what two readers could read differently or PostgreSQL cannot store:
    repeated names, NaN and infinity, half surrogate pairs, the character U+0000, and nesting beyond 64 levels.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """
        Return the body's value.

        :raises ParseError: if the body is not JSON of that kind
        """
        return read_json(stream.read())


def read_json(body: bytes) -> Any:
    """
    Return the value of a JSON body, under the rules of `StrictJSONParser`. It is UTF-8, whatever charset is declared.

    :raises ParseError: if the body is not JSON of that kind

    Source: RFC 8259 section 8.1
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_float
        )
    except RecursionError as error:
        raise ParseError(f"The body is nested deeper than {GREATEST_DEPTH} levels. Send a flatter one.") from error
    except UnicodeDecodeError as error:
        raise ParseError("The body is not text in UTF-8. Send JSON in UTF-8.") from error
    except ValueError as error:
        raise ParseError(f"The body is not JSON: {error}") from error
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1}) if len(names) < 1000 else ["…"]
        raise ParseError(f"An object names {', '.join(ascii(name) for name in repeated)} more than once. Name it once.")
    return result


def _refuse_constant(name: str) -> Any:
    raise ParseError(f"{name} is not a JSON number. Leave the value out, or send a number.")


def _integer(digits: str) -> int:
    _check_length(digits)
    return int(digits)


def _float(digits: str) -> float:
    _check_length(digits)
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ParseError("A number is too large. Send it as a string where the field allows one.")
    return value


def _check_length(digits: str) -> None:
    if len(digits) > GREATEST_NUMBER_LENGTH:
        raise ParseError(f"A number has more than {GREATEST_NUMBER_LENGTH} digits. Send it as a string.")


def _check(value: Any) -> None:
    # Level by level, without recursion, so that a hostile body costs no stack.
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > GREATEST_DEPTH:
            raise ParseError(f"The body is nested deeper than {GREATEST_DEPTH} levels. Send a flatter one.")
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("A text holds the character U+0000, which cannot be stored. Remove it.")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ParseError("A text holds half a surrogate pair, which is not a character. Remove it.") from error
