"""What pages and inlines of governed records share."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.forms import Field as FormField
from django.http import HttpRequest
from unfold.admin import TabularInline

from approvals import governed
from approvals.admin.access import may_propose, may_read
from approvals.admin.forms import RecordForm
from approvals.records.models import GovernedModel


class Proposing:
    """What pages and inlines of governed records share: kinds, permissions, visible rows, form fields."""

    model: type[GovernedModel]
    create_kind: ClassVar[str | None] = None
    amend_kind: ClassVar[str | None] = None
    # Payload fields that these pages leave to their defaults, because they are said elsewhere.
    leaves: ClassVar[frozenset[str]] = frozenset()
    # What fields are called where the column's own name is not what people say.
    labels: ClassVar[dict[str, str]] = {}

    def kind_named(self, ending: str, given: str | None) -> str | None:
        """Return the kind's name, or None if no such kind is registered."""
        name = given or f"{self.model._meta.model_name}.{ending}"
        return name if name in governed.kinds() else None

    def creates_by(self) -> str | None:
        """Return the kind that adds a record."""
        return self.kind_named("create", self.create_kind)

    def amends_by(self) -> str | None:
        """Return the kind that amends a record."""
        return self.kind_named("amend", self.amend_kind)

    def visible(self, queryset: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the user may see (INV-12); a page of what belongs to nobody leaves it."""
        return queryset

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the visible rows."""
        return self.visible(super().get_queryset(request), request)  # type: ignore[misc]  # mixed into Django's classes

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer for everybody of staff with a role."""
        return may_read(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Answer as for viewing."""
        return may_read(request)

    def is_open(self, record: Any) -> bool:
        """Tell whether a record can still be amended."""
        return record.retired_at is None

    def may_add(self, request: HttpRequest) -> bool:
        """Tell whether the user proposes new records."""
        return self.creates_by() is not None and may_propose(request)

    def may_amend(self, request: HttpRequest, record: Any) -> bool:
        """Tell whether the user proposes changes to a record."""
        return self.amends_by() is not None and may_propose(request) and (record is None or self.is_open(record))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no: records are retired, on a page of their own."""
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> FormField | None:
        """Offer no way to add or change what a field refers to: it would be another change request."""
        field: FormField | None = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is not None:
            field.label = self.labels.get(db_field.name, field.label)
            for name in ("can_add_related", "can_change_related", "can_delete_related"):
                if hasattr(field.widget, name):
                    setattr(field.widget, name, False)
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only records that the user may see."""
        related = self.admin_site._registry.get(db_field.remote_field.model)  # type: ignore[attr-defined]
        if related is not None and "queryset" not in kwargs:
            kwargs["queryset"] = related.get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ProposingInline(Proposing, TabularInline):  # type: ignore[misc]  # unfold has no types
    """Rows of another governed model on a page: each new or changed row becomes an item of the page's request."""

    form = RecordForm
    extra = 0
    can_delete = False
    show_change_link = True
    per_page = 25
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer for those who propose."""
        return self.may_add(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer for those who propose; `obj` is the page's record."""
        return not getattr(request, "reads_history", False) and self.may_amend(request, None)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Return the columns, with the version that each row was opened on."""
        return [*super().get_fields(request, obj), "base_version"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return the rows' forms, with their kinds and, if the page is shown again, why it was refused."""
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = prepared_form(formset.form, admin=self, request=request)
        return formset


def prepared_form(form: Any, *, admin: Proposing, request: HttpRequest) -> Any:
    """Return a form of its own for this request, which knows its kinds and why it is shown again."""
    form.create_kind, form.amend_kind = admin.creates_by(), admin.amends_by()
    form.refusal = getattr(request, "refusal", None)
    return form
