"""The form on which a record is retired."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from approvals.admin.reasons import RATIONALE, ReasonsForm
from approvals.governed import Draft
from approvals.records.models import GovernedModel
from foundation.errors import DomainError


class RetireForm(ReasonsForm):
    """Retiring takes effect when the change is applied; what refers to the record stands."""

    explanation = (
        "From the moment the change is applied, nothing new can refer to this record. What refers to it already stands."
    )
    field_order = ("reason", *RATIONALE)

    reason = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="A short reason, kept with the change.",
    )

    def tell(self, error: DomainError) -> None:
        """Show at its field, or above all of them, why a proposal was refused."""
        for issue in error.context.get("errors") or [{"field": "", "message": error.message}]:
            name = str(issue["field"]).split(".")[0]
            self.add_error(name if name in self.fields else None, str(issue["message"]))


def retire_draft(form: RetireForm, *, kind: str, record: GovernedModel) -> Draft:
    """Return what the form asks for: every value that is not one of the reasons of the change."""
    values: dict[str, Any] = {
        name: value for name, value in form.cleaned_data.items() if name not in RATIONALE and value not in (None, "")
    }
    return Draft(kind=kind, payload=values, target_id=record.pk)
