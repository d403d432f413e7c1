"""Text that cannot be stored is refused before anything reads it."""

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponseBase

from foundation.errors import InvalidInput
from foundation.web.errors import refuse


class StorableTextMiddleware:
    """
    Answer 400 if address, query, cookies or credentials hold text that PostgreSQL cannot store or that is no text at
    all.

    U+0000 in a looked-up key would be an error 500 deep inside; half surrogates and undecodable credentials likewise.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not all(_is_storable(text) for text in _texts(request)):
            return refuse(request, InvalidInput("The request holds characters that cannot be stored. Remove them."))
        return self.get_response(request)


def _texts(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    for name, values in request.GET.lists():
        yield name
        yield from (str(value) for value in values)
    yield from request.COOKIES.values()
    yield _credentials(request)


def _credentials(request: HttpRequest) -> str:
    # Headers arrive as Latin-1; whoever checks credentials decodes them as UTF-8.
    return request.headers.get("Authorization", "").encode("latin-1").decode("utf-8", "surrogateescape")


def _is_storable(text: str) -> bool:
    if "\x00" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
