"""Admin pages of standard templates. A change of one passes the policies in force."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils.html import format_html_join
from unfold.widgets import UnfoldAdminSelectWidget

from approvals import governed
from approvals.admin.fields import Column, LinesField, RowsField
from approvals.admin.forms import ProposalForm
from approvals.admin.lists import UseFilter
from approvals.admin.policies import ValueField, listed
from approvals.admin.proposing import ProposingAdmin
from approvals.policies.conditions import OPERATORS
from approvals.standards import rules
from approvals.standards.models import StandardTemplate


class StandardTemplateForm(ProposalForm):
    """A standard template."""

    kinds = LinesField(help_text="The kinds of change that it pre-approves, one a line: entitlement.amend.")
    conditions = RowsField(
        columns=(
            Column("field", "Fact", forms.CharField()),
            Column(
                "operator",
                "Comparison",
                forms.ChoiceField(
                    choices=[("", "–"), *((name, name.replace("_", " ")) for name in OPERATORS)],
                    widget=UnfoldAdminSelectWidget,
                ),
            ),
            Column("value", "Value", ValueField()),
        ),
        help_text="Every item keeps all of them; what is unknown keeps none. Several values: commas between.",
    )
    proposer_roles = LinesField(help_text="Whose changes it covers, one role a line.")
    accumulations = RowsField(
        columns=(
            Column("fact", "Fact", forms.CharField()),
            Column("at_most", "At most in 30 days", forms.IntegerField(min_value=1)),
        ),
        required=False,
        help_text="How much of a fact may be moved for one account; up and down both count.",
    )
    acceptance_criteria = LinesField(required=False, help_text="One a line; stands where a request says nothing.")

    class Meta:
        model = StandardTemplate
        exclude: ClassVar[list[str]] = []

    def value_of(self, name: str) -> Any:
        """Return a payload's value; a comparison with several values takes a list of them."""
        value = super().value_of(name)
        return [listed(row) for row in value] if name == "conditions" else value


@admin.register(StandardTemplate)
class StandardTemplateAdmin(ProposingAdmin):
    """Which changes are approved before anybody asks for them, and within which bounds."""

    form = StandardTemplateForm
    create_kind = "standard_template.create"
    amend_kind = "standard_template.amend"
    retire_kind = "standard_template.retire"
    list_display = ("name", "kinds_shown", "bounds", "expires_at")
    list_filter = (UseFilter,)
    search_fields = ("name", "description")
    ordering = ("name",)
    shown_as: ClassVar[dict[str, str]] = {
        "kinds": "kinds_shown",
        "conditions": "bounds",
        "proposer_roles": "roles_shown",
        "accumulations": "accumulations_shown",
        "acceptance_criteria": "criteria_shown",
    }
    fieldsets = (
        (None, {"fields": ("name", "description", "kinds", "conditions", "proposer_roles", "expires_at")}),
        ("How often, and how much", {"fields": ("daily_limit", "monthly_limit", "accumulations")}),
        ("What a request says of itself", {"fields": ("justification", "impact", "acceptance_criteria", "rollback")}),
    )

    @admin.display(description="Kinds")
    def kinds_shown(self, obj: StandardTemplate) -> str:
        """Return the kinds in a line."""
        return ", ".join(obj.kinds)

    @admin.display(description="Bounds")
    def bounds(self, obj: StandardTemplate) -> str:
        """Return the bounds in words."""
        said = rules.in_words(conditions=obj.conditions, declared=governed.declared_facts())
        return format_html_join("", "{}<br>", ((line,) for line in said))

    @admin.display(description="For the roles")
    def roles_shown(self, obj: StandardTemplate) -> str:
        """Return the roles in a line."""
        return ", ".join(obj.proposer_roles)

    @admin.display(description="Added up in 30 days")
    def accumulations_shown(self, obj: StandardTemplate) -> str:
        """Return what is added up, in words."""
        said = (
            f"{row['fact'].replace('_', ' ')}: at most {row['at_most']} for one account" for row in obj.accumulations
        )
        return "; ".join(said) or "–"

    @admin.display(description="Acceptance criteria")
    def criteria_shown(self, obj: StandardTemplate) -> str:
        """Return the criteria in a line."""
        return "; ".join(obj.acceptance_criteria) or "–"
