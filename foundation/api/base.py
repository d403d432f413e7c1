"""What every view of the API has in common."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.authentication import BearerAuthentication
from foundation.errors import InvalidInput
from foundation.identity.models import User


class ApiView(APIView):
    """A view for token bearers and signed-in browsers; refused values are named by JSON pointers into the body."""

    authentication_classes = (BearerAuthentication, SessionAuthentication)
    # Where the payload of a change stands in the body, by the number of its item.
    payload_pointer: ClassVar[str] = "/items/{item}/payload"

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal; payloads name fields, programs read pointers."""
        if isinstance(exc, InvalidInput):
            exc.context = pointed(exc.context, payload_pointer=self.payload_pointer)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:
        """Finish the answer; it depends on who asks, so no shared cache keeps it."""
        finished = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        finished.headers.setdefault("Cache-Control", "private, no-cache")
        return finished


def pointed(context: Mapping[str, Any], *, payload_pointer: str) -> dict[str, Any]:
    """The context of a refusal with its fields (`periods.0.quantity`) as pointers, below its item if it names one."""
    prefix = payload_pointer.format(item=context["item"]) if "item" in context else ""
    errors = context.get("errors")
    if not isinstance(errors, list):
        return dict(context)
    told = [
        {
            "pointer": prefix + "".join(f"/{part}" for part in _parts(error["field"])),
            "code": "invalid",
            "detail": str(error["message"]),
        }
        if "field" in error and "message" in error
        else error
        for error in errors
    ]
    return dict(context) | {"errors": told}


def _parts(field: str) -> list[str]:
    if field in ("payload", "__all__"):
        return []
    return [part.replace("~", "~0").replace("/", "~1") for part in field.split(".")]


def sender(request: Request) -> User:
    """The user who sends a request; every view of the API demands one."""
    assert isinstance(request.user, User)  # noqa: S101  IsAuthenticated has passed
    return request.user


def body(request: Request) -> dict[str, Any]:
    """
    The request's body as an object.

    :raises InvalidInput: if it is another JSON value
    """
    if not isinstance(request.data, Mapping):
        sentence = "The body must be a JSON object."
        raise InvalidInput(sentence, errors=[{"field": "payload", "message": sentence}])
    return dict(request.data)
