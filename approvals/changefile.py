"""
Change files: a change request as a file, JSON or TOML.

    title = "Acme: trial to production"
    justification = "…"
    impact = "…"
    acceptance_criteria = ["…"]
    rollback = "…"
    template = "optional: id or name of the standard template that it cites"

    [[changes]]
    kind = "entitlement.grant"
    target = "optional: id, reference or code of the record"
    [changes.payload]
    account = "acme"            # a record's code or reference stands for its id: account = …, or account_id = …
    …

`id` gives a new record's id, so that later changes of the file can refer to it.
"""

import json
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import models
from pydantic import BaseModel, ConfigDict, Field

from approvals import governed
from approvals.governed import Draft
from approvals.records.models import GovernedModel
from approvals.records.payloads import validated
from approvals.requests.revisions import Rationale, Waiver
from approvals.standards.models import StandardTemplate
from foundation.errors import InvalidInput
from foundation.identity.models import User


class _WaiverRow(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str
    risk_owner: str


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str
    id: uuid.UUID | None = None
    target: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200)
    justification: str = ""
    impact: str = ""
    acceptance_criteria: list[str] = Field(default_factory=list)
    rollback: str = ""
    waiver: _WaiverRow | None = None
    template: str | None = None
    changes: list[_Change] = Field(min_length=1)


@dataclass(frozen=True)
class ChangeFile:
    """A change file as values."""

    title: str
    drafts: tuple[Draft, ...]
    rationale: Rationale
    waiver: Waiver | None
    template_id: uuid.UUID | None = None


def read(path: Path) -> ChangeFile:
    """
    Read a change file; names of records are looked up.

    :raises InvalidInput: if it cannot be read, does not say what it must, or names what does not exist
    """
    content = validated(_File, _parsed(path))
    drafts: list[Draft] = []
    named: dict[tuple[type[models.Model], str], uuid.UUID] = {}
    for change in content.changes:
        kind = governed.kind(change.kind)
        payload = _with_ids(kind.model, change.payload, named)
        if kind.operation is governed.Operation.INSERT:
            target_id = change.id or uuid.uuid4()
            for name in ("reference", "code"):
                if isinstance(payload.get(name), str):
                    named[kind.model, payload[name]] = target_id
        else:
            target_id = change.id or _look_up(kind.model, change.target or "", named)
        drafts.append(Draft(kind=change.kind, payload=payload, target_id=target_id))
    return ChangeFile(
        title=content.title,
        drafts=tuple(drafts),
        rationale=Rationale(
            content.justification, content.impact, tuple(content.acceptance_criteria), content.rollback
        ),
        waiver=Waiver(content.waiver.reason, content.waiver.risk_owner) if content.waiver else None,
        template_id=_look_up(StandardTemplate, content.template, named) if content.template else None,
    )


def _parsed(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is neither JSON nor TOML as its name says: {error}.") from None


def _with_ids(
    model: type[models.Model], payload: Mapping[str, Any], named: Mapping[tuple[type[models.Model], str], uuid.UUID]
) -> dict[str, Any]:
    """The payload with `account = "acme"` turned into `account_id = …`."""
    references = {
        field.name: field.related_model for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)
    }
    out: dict[str, Any] = {}
    for name, value in payload.items():
        related = references.get(name)
        if related is not None and isinstance(value, str) and isinstance(related, type):
            out[f"{name}_id"] = str(_look_up(related, value, named))
        else:
            out[name] = value
    return out


def _look_up(
    model: type[models.Model], name: str, named: Mapping[tuple[type[models.Model], str], uuid.UUID]
) -> uuid.UUID:
    known = named.get((model, name))
    if known is not None:
        return known
    try:
        return uuid.UUID(name)
    except ValueError:
        pass
    found = model._default_manager.filter(**_natural(model, name)).values_list("pk", flat=True)[:2]
    if len(found) != 1:
        raise InvalidInput(
            f"There is no {model._meta.verbose_name} “{name}”. Give its reference, code or id.", name=name
        )
    return uuid.UUID(str(found[0]))


def _natural(model: type[models.Model], name: str) -> dict[str, Any]:
    if issubclass(model, User):
        return {"username": name}
    if issubclass(model, GovernedModel):
        # A retired record may have had the name before.
        return model.natural_lookup(name) | ({"retired_at": None} if model is StandardTemplate else {})
    return {"pk": None}
