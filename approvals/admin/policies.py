"""Admin pages of policies. A change of policy passes the policy in force."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminSelectWidget

from approvals.admin.fields import Column, RowsField
from approvals.admin.forms import ProposalForm
from approvals.admin.lists import UseFilter
from approvals.admin.proposing import ProposingAdmin
from approvals.policies.conditions import OPERATORS
from approvals.policies.eligibility import logins_of, names_of
from approvals.policies.models import Policy
from approvals.policies.rules import ANY_TICKET
from approvals.roles import ROLES
from approvals.tickets.models import TicketSystem

LISTS = ("in", "any_of", "none_of")


class ValueField(forms.CharField):
    """A value to compare with: a whole number, yes or no, several words with commas between, or text."""

    def prepare_value(self, value: Any) -> Any:
        """Write a value as it is typed."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return ", ".join(str(item) for item in value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Read a value."""
        text = str(super().clean(value)).strip()
        if text in {"yes", "no"}:
            return text == "yes"
        return int(text) if text.lstrip("-").isdecimal() else text


class PeopleField(forms.CharField):
    """Named people, by their logins with commas between."""

    def prepare_value(self, value: Any) -> Any:
        """Write stored humans as their logins."""
        return ", ".join(logins_of(value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Read the names; the policy knows whether there are such people."""
        return [part.strip() for part in str(super().clean(value)).split(",") if part.strip()]


def ticket_choices() -> list[tuple[str, str]]:
    """Return the ticket systems that a policy can demand a ticket of."""
    rows = TicketSystem.objects.order_by("name").values_list("code", "name")
    return [("", "–"), (ANY_TICKET, "Any ticket system"), *((str(code), str(name)) for code, name in rows)]


class YesField(forms.ChoiceField):
    """Yes or no, as a choice that an empty row leaves empty."""

    widget = UnfoldAdminSelectWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[("", "–"), ("yes", "yes")], **options)

    def prepare_value(self, value: Any) -> Any:
        """Write a stored yes."""
        return "yes" if value in {True, "yes"} else ""

    def clean(self, value: Any) -> Any:
        """Read it."""
        return super().clean(value) == "yes"


class PolicyForm(ProposalForm):
    """A policy."""

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
        required=False,
        help_text="All of them must hold; a policy without conditions always holds. Several values: commas between.",
    )
    stages = RowsField(
        columns=(
            Column("position", "Step", forms.IntegerField(min_value=1, max_value=50)),
            Column(
                "role",
                "Role",
                forms.ChoiceField(
                    choices=[("", "–"), *((role.name, role.name) for role in ROLES)],
                    required=False,
                    widget=UnfoldAdminSelectWidget,
                ),
            ),
            Column("people", "Only these people", PeopleField(required=False)),
            Column("quorum", "How many", forms.IntegerField(min_value=1, max_value=20)),
            Column("due_hours", "Due in hours", forms.IntegerField(required=False, min_value=1, max_value=8760)),
            Column(
                "backup_role",
                "Backup when overdue",
                forms.ChoiceField(
                    choices=[("", "–"), *((role.name, role.name) for role in ROLES)],
                    required=False,
                    widget=UnfoldAdminSelectWidget,
                ),
            ),
            Column("within_limit", "Within a limit", YesField(required=False)),
            Column("why", "Why", forms.CharField(required=False)),
        ),
        help_text="Who must approve, in which order, and why: a role, people by their logins with commas between, or "
        "people who must hold the role. A stage that is open for longer than it is due in may be escalated to its "
        "backup.",
    )
    waiver_role = forms.ChoiceField(
        choices=[("", "–"), *((role.name, role.name) for role in ROLES)],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Who must approve as well when the plan opens a gap.",
    )

    ticket = forms.ChoiceField(
        choices=ticket_choices,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Which system's ticket must be approved before a change is applied.",
    )

    class Meta:
        model = Policy
        exclude: ClassVar[list[str]] = []

    def value_of(self, name: str) -> Any:
        """Return a payload's value; a comparison with several values takes a list of them."""
        value = super().value_of(name)
        return [listed(row) for row in value] if name == "conditions" else value


@admin.register(Policy)
class PolicyAdmin(ProposingAdmin):
    """Which approvals a change needs, and why."""

    form = PolicyForm
    list_display = ("name", "description", "steps", "waiver_role")
    list_filter = (UseFilter,)
    search_fields = ("name", "description")
    ordering = ("name",)
    shown_as: ClassVar[dict[str, str]] = {"conditions": "conditions_shown", "stages": "steps"}
    fieldsets = (
        (None, {"fields": ("name", "description", "conditions", "stages", "waiver_role", "ticket")}),
        ("Emergencies", {"fields": ("emergency_review_hours",)}),
    )

    @admin.display(description="Stages")
    def steps(self, obj: Policy) -> str:
        """Return the stages in words."""
        return ", ".join(in_words(stage) for stage in obj.stages) or "–"

    @admin.display(description="Conditions")
    def conditions_shown(self, obj: Policy) -> str:
        """Return the conditions in words."""
        return (
            "; ".join(f"{row['field']} {row['operator'].replace('_', ' ')} {row['value']}" for row in obj.conditions)
            or "always"
        )


def listed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a condition whose value is a list where its comparison takes one."""
    value = row["value"]
    if row["operator"] in LISTS and not isinstance(value, list):
        value = [part.strip() for part in str(value).split(",") if part.strip()]
    return row | {"value": value}


def in_words(stage: dict[str, Any]) -> str:
    """Return a stage in words, with its people's names."""
    words = f"{stage['quorum']} of {stage['role']}" if stage["role"] else f"{stage['quorum']}"
    if stage.get("people"):
        words += f" of {', '.join(sorted(names_of(stage['people']).values()))}"
    if stage.get("due_hours"):
        words += f" within {stage['due_hours']} hours"
    return f"{words}, then {stage['backup_role']} too" if stage.get("backup_role") else words
