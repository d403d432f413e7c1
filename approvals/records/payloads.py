"""Typed payloads of change requests: what a person or a program asks for."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model

from foundation.errors import InvalidInput

P = TypeVar("P", bound=BaseModel)

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")]
Country = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{2}$")]
Currency = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z]{3}$")]


class Payload(BaseModel):
    """The base of payloads: unknown fields are refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RetirePayload(Payload):
    """Retire a record: from now on it is not used in anything new; what refers to it stands."""

    reason: Text = ""


def partial(payload: type[Payload], *, without: tuple[str, ...] = ()) -> type[Payload]:
    """
    The amending form of a payload: the same fields, each optional; only those given are changed.

    `without` names fields that can't be amended.
    """
    fields: dict[str, Any] = {
        name: (field.rebuild_annotation(), Field(default=None, description=field.description))
        for name, field in payload.model_fields.items()
        if name not in without
    }
    model: type[Payload] = create_model(f"{payload.__name__}Amendment", __base__=Payload, **fields)
    model.__doc__ = f"Fields of {payload.__name__} to change; what is left out stays as it is."
    return model


def validated(model: type[P], values: Any) -> P:
    """
    The payload as typed values.

    :raises InvalidInput: naming each field that does not fit, with what to do
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        errors = [
            {"field": ".".join(str(part) for part in issue["loc"]) or "payload", "message": issue["msg"]}
            for issue in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        listed = "; ".join(f"{issue['field']}: {issue['message']}" for issue in errors)
        raise InvalidInput(f"The change does not say what it must. {listed}.", errors=errors) from None
