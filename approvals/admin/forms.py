"""Forms that say what should change. None of them can save."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.db import models
from django.utils import timezone

from approvals import governed
from approvals.admin.reasons import ReasonsForm
from approvals.admin.words import difference_since
from approvals.governed import Draft
from foundation.errors import DomainError, NotPermitted


@dataclass(frozen=True)
class Refusal:
    """Why a proposal was refused, and the prefix of the form that said it (None: the page's own)."""

    error: DomainError
    prefix: str | None


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """
    What one record should be.

    The admin names the kinds, and the values that the page leaves to their defaults. `refusal` is set when the page is
    shown again because the proposal was refused: its errors become those of the fields.
    """

    create_kind: ClassVar[str | None] = None
    amend_kind: ClassVar[str | None] = None
    refusal: ClassVar[Refusal | None] = None

    base_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Kept here because a page with rows takes the id of its new record away.
        self.record_id = self.instance.pk
        if not self.is_new:
            self.initial.setdefault("base_version", self.instance.version)
        self.initial = self.initial_of(self.instance) | dict(self.initial)
        for name, field in self.fields.items():
            self._keep_current(name, field)
            if isinstance(field, forms.SplitDateTimeField) and not field.help_text:
                field.help_text = f"In {timezone.get_current_timezone_name()}."
        self._fix()

    @property
    def is_new(self) -> bool:
        """Whether the form adds a record."""
        return bool(self.instance._state.adding)

    def initial_of(self, instance: Any) -> dict[str, Any]:
        """Return the initial values of fields that the model does not have."""
        return {}

    def value_of(self, name: str) -> Any:
        """Return a payload's value."""
        value = self.cleaned_data.get(self.field_of(name))
        if isinstance(value, models.Model):
            return value.pk
        if isinstance(value, models.QuerySet):
            return [row.pk for row in value]
        return value

    def is_touched(self, name: str) -> bool:
        """Tell whether a payload's value was changed."""
        return self.field_of(name) in self.changed_data

    def called(self) -> str:
        """Return what people call the record; a new one by what the form says of it."""
        if not self.is_new:
            return str(self.instance)
        named = (self.cleaned_data.get(name) for name in ("reference", "name", "code", "version_name", "sku"))
        return str(next((name for name in named if name), ""))

    def field_of(self, name: str) -> str:
        """Return the form field that says a payload's value."""
        return field_name(self._meta.model, name)

    def draft(self) -> Draft | None:
        """Return what the form asks for, or None if it asks for nothing."""
        if self.is_new:
            return Draft(kind=self.create_kind or "", payload=self._whole(), target_id=self.instance.pk)
        payload = self.changes()
        return Draft(kind=self.amend_kind or "", payload=payload, target_id=self.instance.pk) if payload else None

    def changes(self) -> dict[str, Any]:
        """Return the values that differ, by the amending payload's names."""
        names = governed.kind(self.amend_kind or "").payload.model_fields
        return {name: self.value_of(name) for name in names if self._says(name) and self.is_touched(name)}

    def _whole(self) -> dict[str, Any]:
        # What is left empty is left out: the payload's default says what that means.
        names = governed.kind(self.create_kind or "").payload.model_fields
        values = {name: self.value_of(name) for name in names if self._says(name)}
        return {name: value for name, value in values.items() if value not in (None, "", [], {})}

    def _says(self, name: str) -> bool:
        return self.field_of(name) in self.fields

    def clean(self) -> dict[str, Any]:
        """Refuse a record that changed since the page was opened, and tell why a proposal was refused."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.is_new and cleaned.get("base_version") != self.instance.version:
            self.add_error(None, self._stale(cleaned.get("base_version")))
        if self.refusal is not None and self.refusal.prefix == self.prefix:
            self._tell(self.refusal.error)
        return cleaned

    def _stale(self, version: int | None) -> str:
        if version is None:
            return "This page does not say which version of the record it was opened on. Open it again."
        changes = difference_since(self.instance, version)
        return (
            f"This {self.instance._meta.verbose_name} was changed while the page was open. {changes} "
            "Open the page again and make your change on what holds now."
        )

    def _tell(self, error: DomainError) -> None:
        listed = error.context.get("errors")
        # What is told of a part that is no field of this form, such as a schedule, is told above it.
        listed = listed if isinstance(listed, list | tuple) else None
        issues = listed or [{"field": name, "message": error.message} for name in error.context]
        told = False
        for issue in issues:
            field = self.field_of(str(issue["field"]).split(".")[0])
            if field in self.fields and not self.fields[field].widget.is_hidden:
                self.add_error(field, str(issue["message"]))
                told = True
            elif listed:
                self.add_error(None, f"{issue['message']}")
                told = True
        if not told:
            self.add_error(None, error.message)

    def _keep_current(self, name: str, field: forms.Field) -> None:
        # What the reader may not see stays chosen: otherwise it would be taken away unsaid.
        if isinstance(field, forms.ModelChoiceField) and not self.is_new and field.queryset is not None:
            current = self.initial.get(name)
            keys = [key for key in (current if isinstance(current, list) else [current]) if key]
            if keys:
                field.queryset = field.queryset | field.queryset.model._default_manager.filter(pk__in=keys)

    def _fix(self) -> None:
        # What a record keeps for ever is shown, and what is sent for it is not read.
        if self.is_new or self.amend_kind is None or self.create_kind is None:
            return
        amending = governed.kind(self.amend_kind).payload.model_fields
        for payload_name in governed.kind(self.create_kind).payload.model_fields:
            name = self.field_of(payload_name)
            if payload_name not in amending and name in self.fields:
                self.fields[name].disabled = True

    def _post_clean(self) -> None:
        """Leave the instance as it is stored: the kind checks the row that would come of it."""

    def save(self, commit: bool = True) -> Any:
        """
        Refuse.

        :raises NotPermitted: always
        """
        raise NotPermitted("Governed records change only through a change request.")


class ProposalForm(RecordForm, ReasonsForm):
    """The form of a page: what the record should be, and why. The reasons may be given here or with the request."""

    def clean(self) -> dict[str, Any]:
        """Add, to the page's own errors, that one of its rows was refused."""
        cleaned = super().clean()
        if self.refusal is not None and self.refusal.prefix != self.prefix:
            self.add_error(None, "Nothing was proposed: see the rows below.")
        return cleaned


def field_name(model: type[models.Model], payload_name: str) -> str:
    """Return the form's name of a payload field: the reference's own name for `…_id`, else the same."""
    references = {field.attname: field.name for field in model._meta.concrete_fields if field.is_relation}
    return references.get(payload_name, payload_name)


def unsaid(form: type[RecordForm], *, kind: str, leaves: Collection[str], fields: Collection[str]) -> set[str]:
    """Return the fields of a kind's payload that neither the form asks for nor the page leaves to their defaults."""
    names = governed.kind(kind).payload.model_fields
    return {name for name in names if name not in leaves and field_name(form._meta.model, name) not in fields}
