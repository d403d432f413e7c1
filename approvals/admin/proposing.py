"""
Admin pages of governed records: every save and every retirement proposes, and nothing here writes a record.

Django's own way to save is kept shut at each step (`save_model`, `save_formset`, `delete_model` …), whatever leads
there: bulk actions, inlines, history, save-as, list_editable. `changeform_view` ends in one change request with one
item for each record changed on the page.
"""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, TextField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from approvals import governed
from approvals.admin import landing
from approvals.admin.access import may_propose
from approvals.admin.filing import File, file_drafts
from approvals.admin.forms import ProposalForm, RecordForm, Refusal
from approvals.admin.history import ReadHistory
from approvals.admin.reasons import RATIONALE, rationale_of
from approvals.admin.retiring import RetireForm, retire_draft
from approvals.admin.sharing import Proposing, prepared_form
from approvals.admin.words import open_requests_on
from approvals.records.models import GovernedModel
from approvals.requests.models import ChangeRequest
from foundation import clock
from foundation.errors import DomainError, NotPermitted

_NEVER = "Governed records change only through a change request. Propose the change on the record's page."


class ProposingAdmin(Proposing, ReadHistory):
    """
    Pages of one governed model.

    `fieldsets` may name fields of the form and of the model alike. On the change page, what the amending payload cannot
    change is shown and not edited. `shown_as` maps fields that only the form has to what shows them where nothing is
    edited.
    """

    form = ProposalForm
    retire_form: ClassVar[type[RetireForm]] = RetireForm
    retire_verb: ClassVar[str] = "Retire"
    retire_kind: ClassVar[str | None] = None
    shown_as: ClassVar[dict[str, str]] = {}
    # Fields that a kind of its own changes, and so are edited although the amending payload does not have them.
    moves: ClassVar[frozenset[str]] = frozenset()
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}
    }
    save_as = False
    list_editable = ()
    show_facets = False
    change_form_outer_before_template = "proposing/pending.html"

    # What may be done.

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer for those who propose."""
        return self.may_add(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer for those who propose, while the record can be amended."""
        return not getattr(request, "reads_history", False) and self.may_amend(request, obj)

    def retires_by(self) -> str | None:
        """Return the kind that retires a record."""
        return self.kind_named("retire", self.retire_kind)

    def may_retire(self, request: HttpRequest, record: Any) -> bool:
        """Tell whether the user proposes to retire a record."""
        return self.retires_by() is not None and may_propose(request) and self.is_open(record)

    # What is asked.

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the page's fieldsets: to edit, with the reasons at the end, or to read."""
        fieldsets = [(name, dict(options)) for name, options in super().get_fieldsets(request, obj)]
        edits = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not edits:
            return [(name, options | {"fields": self._shown(options["fields"])}) for name, options in fieldsets]
        fieldsets[0][1]["fields"] = [*fieldsets[0][1]["fields"], "base_version"]
        why = {
            "fields": RATIONALE,
            "classes": ["collapse"],
            "description": "Reviewers read this. You may also say it on the change request, before it goes to review.",
        }
        return [*fieldsets, ("Why", why)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Return what is shown only: on the change page, what the amending payload cannot change."""
        readonly = list(super().get_readonly_fields(request, obj))
        if getattr(request, "reads_history", False):
            return list(flatten_fieldsets(self.get_fieldsets(request, obj)))
        return [*readonly, *self._fixed()] if obj is not None else readonly

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the page's form, with its kinds and, if it is shown again, why it was refused."""
        form = super().get_form(request, obj, change, **kwargs)
        return prepared_form(form, admin=self, request=request)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill a new record with what another one says, if `?like=` names one that the user may see."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        like = initial.pop("like", None)
        found = self.get_object(request, like) if like else None
        if found is None:
            return initial
        filled = self.get_form(request)(instance=found).initial
        return {name: value for name, value in filled.items() if name != "base_version"} | initial

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Offer nothing retired where something new is to refer to it."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if request.resolver_match is not None and request.resolver_match.url_name == "autocomplete":
            found = found.filter(retired_at__isnull=True)
        return found, duplicates

    def _fixed(self) -> list[str]:
        kind, creates = self.amends_by(), self.creates_by()
        if kind is None or creates is None:
            return []
        form, amending = self.form, governed.kind(kind).payload.model_fields
        names = [name for name in governed.kind(creates).payload.model_fields if name not in amending]
        columns = {field.attname: field.name for field in self.model._meta.concrete_fields}
        return [
            columns[name]
            for name in names
            if name in columns and columns[name] not in {*form.declared_fields, *self.moves}
        ]

    def _shown(self, fields: Sequence[Any]) -> list[Any]:
        shown = [
            tuple(self.shown_as.get(name, name) for name in field)
            if isinstance(field, list | tuple)
            else self.shown_as.get(field, field)
            for field in fields
        ]
        return [field for field in shown if field]

    # What happens.

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page; on POST, propose. A refused proposal shows the page again, with the reasons at its fields."""
        if request.method == "POST" and "_saveasnew" in request.POST:
            raise PermissionDenied("Saving as new is not offered. Add a record instead.")
        context = self._context(request, object_id) | (extra_context or {})
        try:
            response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        except NotPermitted as error:
            raise PermissionDenied(error.message) from error
        except Refused as refused:
            request.refusal = refused.refusal  # type: ignore[attr-defined]  # carried to the forms of this request
            response = super().changeform_view(request, object_id, form_url, context)
        return response

    def save_form(self, request: HttpRequest, form: RecordForm, change: bool) -> Any:
        """Return the record as it is stored: forms of governed records say what should be and write nothing."""
        return form.instance

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write nothing: what the page says is proposed once its rows are read too."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """
        File one change request for all that the page asks for.

        :raises Refused: if it cannot be proposed
        """
        form.instance.pk = form.record_id
        forms = [form, *(row for formset in formsets for row in formset.forms if row.has_changed())]
        request.filed = self.file(request, forms=forms, cleaned=form.cleaned_data)  # type: ignore[attr-defined]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """
        Refuse: rows are proposed with their page.

        :raises PermissionDenied: always
        """
        raise PermissionDenied(_NEVER)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """
        Refuse: records are retired.

        :raises PermissionDenied: always
        """
        raise PermissionDenied(_NEVER)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """
        Refuse: records are retired.

        :raises PermissionDenied: always
        """
        raise PermissionDenied(_NEVER)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> str:
        """Return nothing: the ledger tells what was proposed."""
        return ""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Log nothing: nothing was added; proposing recorded its event."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Log nothing: nothing was changed; proposing recorded its event."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Log nothing: nothing is deleted."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Lead to the change request."""
        return self._land(request)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Lead to the change request, or back if nothing was changed."""
        return self._land(request)

    def file(self, request: HttpRequest, *, forms: Sequence[RecordForm], cleaned: Any) -> ChangeRequest | None:
        """
        File what forms ask for; None if they ask for nothing.

        :raises Refused: if it cannot be proposed
        """
        asked = [(row, draft) for row in forms if (draft := row.draft()) is not None]
        if not asked:
            return None
        try:
            return file_drafts(
                File(
                    drafts=[draft for _, draft in asked],
                    bases={row.instance.pk: row.instance.version for row, _ in asked if not row.is_new},
                    rationale=rationale_of(cleaned),
                    names=[row.called() for row, _ in asked],
                ),
                request=request,
                now=clock.now(),
            )
        except NotPermitted:
            raise
        except DomainError as error:
            position = error.context.get("item")
            prefix = asked[position][0].prefix if isinstance(position, int) and position < len(asked) else None
            raise Refused(Refusal(error, prefix)) from error

    def _land(self, request: HttpRequest) -> HttpResponse:
        filed: ChangeRequest | None = getattr(request, "filed", None)
        if filed is None:
            self.message_user(request, "Nothing was changed on the page, so nothing was proposed.")
            return HttpResponseRedirect(request.path)
        return landing.go_to(request, filed)

    def _context(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        context: dict[str, Any] = {
            "proposes": True,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
            "show_delete": False,
        }
        record = self.get_object(request, unquote(object_id)) if object_id else None
        if record is None:
            return context
        opts = self.model._meta
        if self.may_retire(request, record):
            context["retire_url"] = reverse(f"admin:{opts.app_label}_{opts.model_name}_retire", args=[record.pk])
            context["retire_verb"] = self.retire_verb
        if self.may_add(request) and self.amends_by() is None:
            add_url = reverse(f"admin:{opts.app_label}_{opts.model_name}_add")
            context["revise_url"] = f"{add_url}?like={record.pk}"
        return context | {
            "pending_requests": [
                {"request": pending, "url": landing.url_of(pending)}
                for pending in open_requests_on(record, user=request.user)
            ]
        }

    # Retiring.

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which a record is retired."""
        opts = self.model._meta
        view = self.admin_site.admin_view(self.retire_view)
        name = f"{opts.app_label}_{opts.model_name}_retire"
        return [path("<path:object_id>/retire/", view, name=name), *super().get_urls()]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """
        Lead to the page on which the record is retired.

        :raises PermissionDenied: if the request would delete
        """
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied(_NEVER)
        opts = self.model._meta
        return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_retire", args=[object_id]))

    def retire_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Ask how and why a record is to be retired, and propose it.

        :raises PermissionDenied: if the user may not propose it
        """
        record = self.visible_record(request, object_id)
        if not self.may_retire(request, record):
            raise PermissionDenied("This record cannot be retired, or you may not propose it.")
        form = self.retire_form(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return landing.go_to(request, self._retire(request, record, form))
            except NotPermitted as error:
                raise PermissionDenied(error.message) from error
            except DomainError as error:
                form.tell(error)
        context = self.admin_site.each_context(request) | {
            "title": f"{self.retire_verb} {record}",
            "opts": self.model._meta,
            "original": record,
            "form": form,
            "media": self.media + form.media,
            "verb": self.retire_verb,
            "record_url": reverse(
                f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_change", args=[record.pk]
            ),
        }
        return TemplateResponse(request, "proposing/retire.html", context)

    def _retire(self, request: HttpRequest, record: GovernedModel, form: RetireForm) -> ChangeRequest:
        return file_drafts(
            File(
                drafts=[retire_draft(form, kind=self.retires_by() or "", record=record)],
                bases={record.pk: record.version},
                rationale=rationale_of(form.cleaned_data),
                names=[str(record)],
            ),
            request=request,
            now=clock.now(),
        )

    def visible_record(self, request: HttpRequest, object_id: str) -> Any:
        """
        Return the record, if the user may see it.

        :raises Http404: if there is none, or the user may not see it
        """
        try:
            key = uuid.UUID(unquote(object_id))
        except ValueError:
            raise Http404("There is no such record.") from None
        record = self.get_queryset(request).filter(pk=key).first()
        if record is None:
            raise Http404("There is no such record, or it is not granted to you.")
        return record


class Refused(Exception):
    """A proposal was refused; undoes the page's transaction, after which the page is shown with the reasons."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.error.message)
        self.refusal = refusal
