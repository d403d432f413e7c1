"""Errors of single fields, flattened from the nested shape in which serializers give them."""

from collections.abc import Iterator, Mapping
from typing import Any

NON_FIELD_ERRORS = "non_field_errors"


def field_errors(detail: Any, *, in_body: bool) -> list[dict[str, str]]:
    """
    Return one object for each error: `{"pointer" or "param", "code", "detail"}`.

    `pointer` is a JSON pointer into the body (RFC 6901; empty: the whole body), `param` the name of a query parameter.
    Objects that are already of this shape are passed on as they are.
    """
    if isinstance(detail, list | tuple) and all(isinstance(item, Mapping) and "detail" in item for item in detail):
        return [{str(name): str(value) for name, value in item.items()} for item in detail]
    return [
        {"pointer" if in_body else "param": _place(path, in_body=in_body), "code": code, "detail": sentence}
        for path, code, sentence in _leaves(detail, path=())
    ]


def _leaves(detail: Any, *, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if isinstance(detail, Mapping):
        for name, item in detail.items():
            yield from _leaves(item, path=path if name == NON_FIELD_ERRORS else (*path, str(name)))
    elif isinstance(detail, list | tuple):
        for index, item in enumerate(detail):
            # A list of texts is several errors of one field; a list of objects is one entry for each of the field's
            # items.
            yield from _leaves(item, path=path if isinstance(item, str) else (*path, str(index)))
    else:
        yield path, str(getattr(detail, "code", "invalid")), str(detail)


def _place(path: tuple[str, ...], *, in_body: bool) -> str:
    if not in_body:
        return ".".join(path)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
