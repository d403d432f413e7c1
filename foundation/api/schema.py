"""The OpenAPI document: every operation also lists how it refuses."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import _SchemaType
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from foundation.api.problems import CONTENT_TYPE

UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
REFUSALS = {
    "400": "The request cannot be read, or its values are not valid.",
    "401": "Sign in first.",
    "403": "Not permitted.",
    "404": "There is no such thing, or you may not see it.",
    "405": "The method is not allowed here.",
    "406": "No acceptable format.",
    "409": "Not possible in this state.",
    "412": "The record has changed since you read it.",
    "413": "The body is too large.",
    "415": "The body's format is not supported.",
    "422": "The values are readable and the rules refuse them.",
    "428": "Send If-Match with the version that you read.",
    "429": "Too many requests; Retry-After tells when to come back.",
}


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One refused value."""

    pointer = serializers.CharField(required=False, help_text="JSON pointer into the body; empty: the whole body.")
    param = serializers.CharField(required=False, help_text="Name of the query parameter.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457); kinds of problems may add members."""

    type = serializers.CharField(help_text="Address of the kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField(min_value=400, max_value=599)
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField(help_text="The kind of problem, for programs; it never changes its meaning.")
    request_id = serializers.CharField(required=False)
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]  # a field of that name


class ProblemAutoSchema(AutoSchema):
    """Adds the problems of each operation, and the headers that its handler asks for."""

    def get_operation(self, *args: Any, **kwargs: Any) -> _SchemaType | None:
        """Return the operation with its refusals."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        component = self.resolve_serializer(ProblemSerializer, "response")
        content = {CONTENT_TYPE: {"schema": component.ref}}
        for status_code in self._refusals():
            operation["responses"].setdefault(status_code, {"description": REFUSALS[status_code], "content": content})
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation

    def get_override_parameters(self) -> list[Any]:
        """Return the declared parameters and the headers that the handler reads."""
        declared = list(super().get_override_parameters())
        return [*declared, *getattr(self._handler(), "header_parameters", ())]

    def _handler(self) -> Any:
        name = getattr(self.view, "action", None) or self.method.lower()
        return getattr(self.view, name, None)

    def _refusals(self) -> set[str]:
        codes = {"400", "404", "405", "406", "429"}
        if not all(type(permission) is AllowAny for permission in self.view.get_permissions()):
            codes |= {"401", "403"}
        if getattr(self.view, "reads_may_conflict", False):
            codes |= {"409"}
        if self.method in UNSAFE_METHODS:
            codes |= {"409", "412", "413", "415", "422", "428"}
        return codes
