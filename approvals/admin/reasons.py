"""Why a change is needed: asked on every page that proposes, and again with the request where it was left open."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from approvals.admin.fields import LinesField
from approvals.requests.revisions import Rationale

RATIONALE = ("justification", "impact", "acceptance_criteria", "rollback")


class ReasonsForm(forms.Form):
    """The reasons of a change; each may be left for the change request."""

    justification = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="Why is this needed?"
    )
    impact = forms.CharField(
        required=False,
        label="Expected impact",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="What changes for whom?",
    )
    acceptance_criteria = LinesField(
        required=False, help_text="How will somebody else see that it worked? One criterion a line."
    )
    rollback = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="How is it undone, and what cannot be undone?",
    )


def rationale_of(cleaned: Mapping[str, Any]) -> Rationale:
    """Return the reasons that a form gives."""
    return Rationale(
        justification=cleaned.get("justification") or "",
        impact=cleaned.get("impact") or "",
        acceptance_criteria=tuple(cleaned.get("acceptance_criteria") or ()),
        rollback=cleaned.get("rollback") or "",
    )
