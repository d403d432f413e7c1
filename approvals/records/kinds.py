"""
Kinds for records that are rows: create, amend and retire, for any governed model.

A concept's `changes.py` makes its kinds from these and overrides what is its own: the label, the scope, the facts, the
rules. Nothing here knows what the records mean.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.db import models
from pydantic import BaseModel
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from approvals import events, governed
from approvals.governed import (
    Application,
    Draft,
    FactType,
    FactUnit,
    Inverse,
    Operation,
    Preparation,
    PreparedItem,
    Scope,
    Undone,
)
from approvals.records.models import GovernedModel
from approvals.records.payloads import RetirePayload, validated
from approvals.records.restoring import Restorer
from approvals.records.rows import changed_fields, foreign_keys, instance_from, row_of
from audit.services import NewEvent, Subject, record_all
from foundation.canonical import jsonable
from foundation.errors import InvalidInput, NotFound

COMMON_FACTS: tuple[FactType, ...] = (
    FactType("kind", FactUnit.TEXT, "", "The kind of change, such as entitlement.amend."),
    FactType("record_type", FactUnit.TEXT, "", "The sort of record, such as entitlement."),
    FactType("fields_touched", FactUnit.TEXTS, "", "The fields whose values change."),
    FactType(
        "aspects_touched",
        FactUnit.TEXTS,
        "",
        "What the fields whose values change belong to: price, term, seats …; each aspect has its owners.",
        says="{value} change",
    ),
    FactType("accounts", FactUnit.TEXTS, "", "The accounts concerned, by id."),
    FactType("products", FactUnit.TEXTS, "", "The products concerned, by id."),
)

Row = Mapping[str, Any]
Aspects = Mapping[str, tuple[str, ...]]
"""What each field of a record belongs to, by column; an empty tuple says: to nothing that has an owner."""

CONTROL = "control"
"""The aspect of records by which change control itself runs, such as policies."""


class RecordKind:
    """
    The base: how a row of `model` is described, checked and written.

    `aspects` tells for each field what it belongs to; one that it does not name belongs to change control itself.
    """

    operation: Operation
    own_facts: ClassVar[tuple[FactType, ...]] = ()
    aspects: ClassVar[Aspects] = {}

    def __init__(
        self, *, name: str, title: str, model: type[GovernedModel], payload: type[BaseModel] = RetirePayload
    ) -> None:
        self.name = name
        self.title = title
        self.model = model
        self.payload = payload
        common = [replace(fact, choices=self._choices(fact.name)) for fact in COMMON_FACTS]
        self.facts: Sequence[FactType] = (*common, *self.own_facts)

    def _choices(self, fact: str) -> tuple[str, ...]:
        if fact == "aspects_touched":
            return tuple(sorted({str(aspect) for aspects in self.aspects.values() for aspect in aspects} | {CONTROL}))
        return {"kind": (self.name,), "record_type": (str(self.model._meta.model_name),)}.get(fact, ())

    # What concepts override.

    def label(self, row: Row, preparation: Preparation) -> str:
        """What people call the record; no person's name, because it is kept for ever."""
        return str(row.get("name") or row.get("reference") or row.get("code") or row["id"])

    def scope(self, row: Row, preparation: Preparation) -> Scope:
        """The accounts and products that the record belongs to."""
        return Scope()

    def check(self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation) -> None:
        """Refuse what the rules of the concept refuse, with a sentence."""

    def effects(
        self, *, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation
    ) -> Mapping[str, Any]:
        """Operational consequences, carried out by `carry_out` when the item is applied."""
        return {}

    def facts_of(self, *, before: Row | None, after: Row, effects: Row, preparation: Preparation) -> dict[str, Any]:
        """Values of this kind's own facts."""
        return {}

    def aspects_of(self, *, before: Row | None, after: Row, effects: Row) -> frozenset[str]:
        """
        What the fields that change belong to; a concept adds what the effects touch.

        Of a new record, a field that only says what every new record says belongs to nothing.
        """
        touched = {name for name in changed_fields(before, after) if name != "id"}
        if before is None:
            touched = {name for name in touched if after[name] != self._defaults()[name]}
        return frozenset(aspect for name in touched for aspect in self.aspects.get(name, (CONTROL,)))

    def _defaults(self) -> Row:
        return row_of(self.model())

    def carry_out(self, *, items: Sequence[PreparedItem], application: Application) -> None:
        """Carry out the items' effects, each with its event."""

    def outside(self, *, item: PreparedItem) -> Sequence[str]:
        """Sentences for what an item did beyond the registry, which no change of records takes back."""
        return ()

    def lasting(self, *, item: PreparedItem) -> Sequence[str]:
        """Sentences for what could not be taken back of a record: a new one stays."""
        made = f"{item.label} stays on record: it would be retired, and what refers to it would stand"
        return (made,) if self.operation is Operation.INSERT else ()

    def inverse(self, *, undone: Undone, now: datetime) -> Inverse:
        """
        What would take an applied item back, by the restoring kind of the same model.

        :raises approvals.governed.UnknownKind: if the model has none
        """
        name = f"{self.name.partition('.')[0]}.restore"
        restoring = cast(Restorer, governed.kind(name))
        found = restoring.restoration(undone=undone, row=restoring.row_now(undone.item.record_id), now=now)
        draft = None if found.is_empty else Draft(name, {"undoes": str(undone.item_id)}, undone.item.record_id)
        lost = tuple(dict.fromkeys((*found.lost, *self.outside(item=undone.item))))
        return Inverse(draft=draft, restored=found.restored, lost=lost, conflicts=found.conflicts)

    # What they share.

    def prepared(
        self, *, draft: Draft, before: Row | None, after: Row, payload: BaseModel, preparation: Preparation
    ) -> PreparedItem:
        """The item for a row before and after."""
        self._check_row(before, after, preparation)
        self.check(before=before, after=after, payload=payload, preparation=preparation)
        effects = self.effects(before=before, after=after, payload=payload, preparation=preparation)
        scope = self.scope(after, preparation)
        facts = {
            "kind": self.name,
            "record_type": self.model._meta.model_name,
            "fields_touched": list(changed_fields(before, after)),
            "aspects_touched": sorted(map(str, self.aspects_of(before=before, after=after, effects=effects))),
            "accounts": sorted(str(account_id) for account_id in scope.account_ids),
            "products": sorted(str(product_id) for product_id in scope.product_ids),
        } | self.facts_of(before=before, after=after, effects=effects, preparation=preparation)
        return PreparedItem(
            kind=self.name,
            table=self.model._meta.db_table,
            record_id=uuid.UUID(str(after["id"])),
            operation=self.operation,
            base_version=before["version"] if before else None,
            before=before,
            after=after,
            label=self.label(after, preparation),
            payload=jsonable(dict(draft.payload)),
            effects=effects,
            facts=jsonable(facts),
            scope=scope,
        )

    def current_row(self, draft: Draft, preparation: Preparation) -> dict[str, Any]:
        """
        The target's row as it stands.

        :raises InvalidInput: if no target is named, or an earlier item of the request touches the same record
        :raises NotFound: if there is no such record, or whoever asks may not see it
        """
        if draft.target_id is None:
            raise InvalidInput(f"{self.title} needs to know which record. Name it as the target.")
        if (self.model._meta.db_table, draft.target_id) in preparation.pending:
            raise InvalidInput(
                "Two items of this request touch the same record. Say everything about one record in one item.",
                target_id=str(draft.target_id),
            )
        instance = self.model._default_manager.filter(id=draft.target_id).first()
        if instance is None:
            raise NotFound(f"There is no {self.model._meta.verbose_name} {draft.target_id}.")
        row = row_of(instance)
        if not preparation.sees(self.scope(row, preparation)):
            # The same words as above: who may not see it learns nothing of it, not even that it is there.
            raise NotFound(f"There is no {self.model._meta.verbose_name} {draft.target_id}.")
        return row

    def referred(
        self, model: type[GovernedModel], record_id: uuid.UUID | str, preparation: Preparation
    ) -> dict[str, Any]:
        """
        A record's row that this one refers to, as an earlier item of the request leaves it or as it stands.

        :raises InvalidInput: if there is none
        """
        return referred_row(model, record_id, preparation)

    def write(self, *, items: Sequence[PreparedItem], application: Application) -> None:
        """Write the rows with their history, then the effects, and record one event for each item."""
        instances = [instance_from(self.model, item.after or {}) for item in items]
        if self.operation is Operation.INSERT:
            bulk_create_with_history(
                instances,
                self.model,
                batch_size=500,
                default_user=application.actor,
                default_date=application.now,
            )
        else:
            fields = [field.name for field in self.model._meta.concrete_fields if not field.primary_key]
            bulk_update_with_history(
                instances,
                self.model,
                fields,
                batch_size=200,
                default_user=application.actor,
                default_date=application.now,
            )
        record_all(events=[self._event(item, application) for item in items], now=application.now)
        self.carry_out(items=items, application=application)

    def _event(self, item: PreparedItem, application: Application) -> NewEvent:
        return NewEvent(
            type=events.RECORD_CREATED if self.operation is Operation.INSERT else events.RECORD_CHANGED,
            actor=application.actor,
            subject=Subject(type=self.model._meta.label_lower, id=item.record_id, label=item.label),
            change_request_id=application.change_request_id,
            data={
                "kind": item.kind,
                "number": application.change_request_number,
                "before": item.before,
                "after": item.after,
                "fields": ", ".join(changed_fields(item.before, item.after)),
            },
        )

    def _check_row(self, before: Row | None, row: Row, preparation: Preparation) -> None:
        for column, model, record_id in foreign_keys(self.model, row):
            pending = preparation.pending.get((model._meta.db_table, record_id))
            referred = pending or _existing(column, model, record_id)
            if (before is None or before[column] != row[column]) and referred.get("retired_at") is not None:
                message = f"The {model._meta.verbose_name} {record_id} is retired, so nothing new refers to it."
                raise InvalidInput(message, errors=[{"field": column, "message": message}])
        instance = instance_from(self.model, row)
        # Else a record that is amended would be refused for having its own name.
        instance._state.adding = self.operation is Operation.INSERT
        references = {field.name for field in self.model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
        try:
            instance.clean_fields(exclude=references)
            instance.clean()
            instance.validate_constraints(exclude=references)
        except ValidationError as error:
            raise _invalid(error) from None


class CreateKind(RecordKind):
    """Make a new record."""

    operation = Operation.INSERT

    def values(self, *, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The new row's values from the payload; a concept adds what it derives."""
        return payload.model_dump()

    def prepare(self, *, draft: Draft, preparation: Preparation) -> PreparedItem:
        """Turn a draft into the item that inserts the row."""
        payload = validated(self.payload, dict(draft.payload))
        known = {field.attname for field in self.model._meta.concrete_fields}
        values = {
            name: value
            for name, value in self.values(payload=payload, preparation=preparation).items()
            if name in known
        }
        instance = self.model(id=draft.target_id or uuid.uuid4(), **values)
        return self.prepared(draft=draft, before=None, after=row_of(instance), payload=payload, preparation=preparation)


class AmendKind(RecordKind):
    """Change some fields of a record."""

    operation = Operation.UPDATE

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The values that change; a concept adds what it derives."""
        return payload.model_dump(include=payload.model_fields_set)

    def prepare(self, *, draft: Draft, preparation: Preparation) -> PreparedItem:
        """Turn a draft into the item that updates the row."""
        payload = validated(self.payload, dict(draft.payload))
        before = self.current_row(draft, preparation)
        values = jsonable(self.values(before=before, payload=payload, preparation=preparation))
        after = before | {name: value for name, value in values.items() if name in before}
        after = row_of(instance_from(self.model, after)) | {"version": before["version"] + 1}
        return self.prepared(draft=draft, before=before, after=after, payload=payload, preparation=preparation)


class RetireKind(AmendKind):
    """Take a record out of use; what refers to it stands."""

    def values(self, *, before: Row, payload: BaseModel, preparation: Preparation) -> dict[str, Any]:
        """The instant of retirement."""
        if before["retired_at"] is not None:
            raise InvalidInput(
                f"This {self.model._meta.verbose_name} is retired already, since {before['retired_at']}."
            )
        return {"retired_at": preparation.now}


def known(facts: Row) -> dict[str, Any]:
    """Facts without those that are absent: a declared fact that an item lacks is unknown."""
    return {name: value for name, value in facts.items() if value is not None}


def referred_row(model: type[GovernedModel], record_id: uuid.UUID | str, preparation: Preparation) -> dict[str, Any]:
    """
    A record's row as an earlier item of the request leaves it, or as it stands.

    :raises InvalidInput: if there is none
    """
    key = uuid.UUID(str(record_id))
    pending = preparation.pending.get((model._meta.db_table, key))
    if pending is not None:
        return dict(pending)
    instance = model._default_manager.filter(id=key).first()
    if instance is None:
        raise InvalidInput(f"There is no {model._meta.verbose_name} {key}.")
    return row_of(instance)


def _existing(column: str, model: type[models.Model], record_id: uuid.UUID) -> Row:
    columns = ["retired_at"] if issubclass(model, GovernedModel) else ["pk"]
    found = model._default_manager.filter(pk=record_id).values(*columns).first()
    if found is None:
        message = f"There is no {model._meta.verbose_name} {record_id}."
        raise InvalidInput(message, errors=[{"field": column, "message": message}])
    return found


def _invalid(error: ValidationError) -> InvalidInput:
    by_field = error.message_dict if hasattr(error, "error_dict") else {"payload": error.messages}
    errors = [{"field": name, "message": message} for name, messages in by_field.items() for message in messages]
    return InvalidInput(
        "; ".join(
            f"{item['message']}" if item["field"] in ("__all__", "payload") else f"{item['field']}: {item['message']}"
            for item in errors
        ),
        errors=errors,
    )
