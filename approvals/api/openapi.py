"""
Records and their payloads in the OpenAPI document.

Payloads are pydantic's: their JSON Schema is told in the dialect of OpenAPI 3.0.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from approvals import governed
from approvals.api.records import Amends, Creates, ReadOnly, Retires
from approvals.api.serializers import ChangeRequestDetailSerializer
from approvals.api.views import LOCATION
from approvals.records.models import GovernedModel
from foundation.api.conditional import IF_MATCH_PARAMETER

REFERENCE = "#/components/schemas/{model}"
NULL = {"type": "null"}
F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V", bound=type[ReadOnly])
IF_NONE_MATCH = OpenApiParameter(
    name="If-None-Match",
    location=OpenApiParameter.HEADER,
    type=str,
    description="The ETag of what you have; 304 if the record is the same still.",
)
ETAG = OpenApiParameter(
    name="ETag", location=OpenApiParameter.HEADER, type=str, response=[200], description="The record's version."
)


class PayloadExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Lets `extend_schema(request=SomePayload)` describe a payload and what it is made of."""

    target_class = "approvals.records.payloads.Payload"
    match_subclasses = True
    # Before drf-spectacular's own, which speaks OpenAPI 3.1.
    priority = 1

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        """Return the component's name."""
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the payload's schema; its parts become components of their own."""
        schema = self.target.model_json_schema(ref_template=REFERENCE, mode="validation")
        for name, part in schema.pop("$defs", {}).items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(  # type: ignore[no-untyped-call]
                    name=name, type=ResolvedComponent.SCHEMA, object=name, schema=dialect(part)
                )
            )
        converted: dict[str, Any] = dialect(schema)
        return converted


def dialect(schema: Any) -> Any:
    """A JSON Schema of 2020-12, as pydantic writes it, in OpenAPI 3.0: no null type, const or property names."""
    if isinstance(schema, list):
        return [dialect(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: value for name, value in schema.items() if name not in ("title", "propertyNames", "properties")}
    if "properties" in schema:
        result["properties"] = {name: dialect(part) for name, part in schema["properties"].items()}
    if "patternProperties" in result:
        result["additionalProperties"] = next(iter(result.pop("patternProperties").values()))
    if "const" in result:
        result["enum"] = [result.pop("const")]
    if result.get("default", ...) is None:
        del result["default"]
    for bound in ("Minimum", "Maximum"):
        if f"exclusive{bound}" in result:
            result[bound.lower()] = result.pop(f"exclusive{bound}")
            result[f"exclusive{bound}"] = True
    result = {name: value if name == "properties" else dialect(value) for name, value in result.items()}
    return _without_null(result)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    if schema == NULL:
        return {"nullable": True, "enum": [None]}
    choices = schema.get("anyOf")
    empty = {"nullable": True, "enum": [None]}
    if choices is not None and empty in choices:
        rest = [choice for choice in choices if choice != empty]
        others = {name: value for name, value in schema.items() if name != "anyOf"}
        if len(rest) == 1 and "$ref" not in rest[0]:
            # Null is a value like others: a list of values must name it, too.
            values = {"enum": [*rest[0]["enum"], None]} if "enum" in rest[0] else {}
            return {**rest[0], **others, **values, "nullable": True}
        # A reference stands alone in OpenAPI 3.0; nullable needs a type beside it, so null is one of the choices.
        return {**others, "anyOf": choices}
    if "$ref" in schema and len(schema) > 1:
        return {name: value for name, value in schema.items() if name != "$ref"} | {"allOf": [{"$ref": schema["$ref"]}]}
    return schema


def filing(kind_name: str, **options: Any) -> Callable[[F], F]:
    """How an operation that files a change of a kind stands in the OpenAPI document."""
    kind = governed.kind(kind_name)
    changes = kind.operation is not governed.Operation.INSERT
    parameters = [*options.pop("parameters", []), *([IF_MATCH_PARAMETER] if changes else []), LOCATION]
    described: dict[str, Any] = {
        "summary": f"Propose: {kind.title.lower()}",
        "request": kind.payload,
        "responses": {202: ChangeRequestDetailSerializer},
        "parameters": parameters,
    }
    return extend_schema(**(described | options))


def documented(view: V) -> V:
    """Describe a view's operations in the OpenAPI document, with the payloads of its kinds."""
    serializer_class: Any = view.serializer_class  # type: ignore[misc]  # of whatever records
    model = serializer_class.Meta.model
    one, many = str(model._meta.verbose_name), str(model._meta.verbose_name_plural)
    governed_record = issubclass(model, GovernedModel)
    operations: dict[str, Any] = {
        "list": extend_schema(summary=f"List {many}"),
        "retrieve": extend_schema(
            summary=f"Read one {one}",
            parameters=[IF_NONE_MATCH, ETAG] if governed_record else [],
            responses={200: serializer_class, 304: None} if governed_record else serializer_class,
        ),
    }
    if issubclass(view, Creates):
        operations["create"] = filing(view.create_kind)
    if issubclass(view, Amends):
        operations["partial_update"] = filing(view.amend_kind)
    if issubclass(view, Retires) and "destroy" not in view.__dict__:
        operations["destroy"] = filing(view.retire_kind, request=None)
    decorated: V = extend_schema_view(**operations)(view)
    return decorated
