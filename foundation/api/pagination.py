"""Lists in pages that stay right while rows are added."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.errors import InvalidInput

DEFAULT_LIMIT = 50
GREATEST_LIMIT = 200


class CursorPages(CursorPagination):
    """
    Pages by cursor: `{"results": […], "next": url or null, "previous": url or null}`, `limit` rows each (50, up to
    200).

    The view declares `ordering`; the primary key is added as its last field. The first field must not be null.
    """

    page_size = DEFAULT_LIMIT
    max_page_size = GREATEST_LIMIT
    page_size_query_param = "limit"
    page_size_query_description = f"Rows a page, 1 to {GREATEST_LIMIT}; {DEFAULT_LIMIT} unless given."
    cursor_query_description = "Where the page begins: taken from `next` or `previous` of another page, never built."
    template = None  # JSON alone is rendered
    ordering = None  # type: ignore[assignment]  # the view's, see get_ordering

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """
        Return one page's rows.

        :raises InvalidInput: if the cursor or the limit is not one
        """
        try:
            return super().paginate_queryset(queryset, request, view)
        except (DjangoValidationError, ValueError, DataError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            raise _bad_cursor() from error

    def get_page_size(self, request: Request) -> int:
        """
        Return the number of rows that the request asks for.

        :raises InvalidInput: if it is not an integer from 1 to 200
        """
        text = request.query_params.get("limit")
        if text is None:
            return DEFAULT_LIMIT
        # isdecimal alone also accepts digits of other scripts.
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= GREATEST_LIMIT):
            sentence = f"“limit” must be an integer from 1 to {GREATEST_LIMIT}."
            raise InvalidInput(sentence, errors=[{"param": "limit", "code": "invalid", "detail": sentence}])
        return int(text)

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """Return the view's declared ordering, ending with the primary key."""
        declared = getattr(view, "ordering", None)
        if not declared:
            raise TypeError(f"{type(view).__name__} returns a list and declares no `ordering`.")
        fields = (declared,) if isinstance(declared, str) else tuple(declared)
        key_names = {"pk", queryset.model._meta.pk.name}
        if fields[-1].lstrip("-") in key_names:
            return fields
        return (*fields, "-pk" if fields[-1].startswith("-") else "pk")

    def decode_cursor(self, request: Request) -> Any:
        """
        Return the position that the request's cursor names, or None without one.

        :raises InvalidInput: if it names none
        """
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise _bad_cursor() from error

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page's document."""
        return Response({"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the page's schema for OpenAPI."""
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the query parameters for OpenAPI."""
        parameters = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": GREATEST_LIMIT,
                    "default": DEFAULT_LIMIT,
                }
        return parameters


def _bad_cursor() -> InvalidInput:
    sentence = "“cursor” does not name a place in this list. Begin again without it."
    return InvalidInput(sentence, errors=[{"param": "cursor", "code": "invalid", "detail": sentence}])
