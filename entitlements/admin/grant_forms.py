"""Forms of the pages of entitlements."""

from typing import Any, ClassVar

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSplitDateTimeWidget, UnfoldBooleanSwitchWidget

from approvals.admin.fields import LimitField, MappingField
from approvals.admin.forms import ProposalForm
from approvals.admin.reasons import RATIONALE
from approvals.admin.retiring import RetireForm
from approvals.governed import Draft
from entitlements.admin.fields import EnvironmentsField, RegionsField
from entitlements.catalog.models import RegionGroup, SupportLevel
from entitlements.grants.models import Entitlement

MOVE = "entitlement.move"


class EntitlementForm(ProposalForm):
    """
    An entitlement.

    Seats are a number or, said in so many words, unlimited. Moving it to another SKU revision is a change of its own
    kind, which carries the regions along and nothing else.
    """

    seats = forms.IntegerField(
        required=False, min_value=0, max_value=1_000_000_000, widget=UnfoldAdminIntegerFieldWidget
    )
    unlimited = forms.BooleanField(
        required=False, label="Unlimited seats", widget=UnfoldBooleanSwitchWidget, help_text="Instead of a number."
    )
    regions = RegionsField(
        help_text="Countries and region groups of use. A group is expanded to its countries when the change is planned."
    )
    environments = EnvironmentsField(
        required=False, label="Environments allowed", help_text="For a new one, none chosen follows the SKU revision."
    )
    support_level = forms.ChoiceField(
        required=False,
        choices=[("", "As the SKU revision says"), *SupportLevel.choices],
        help_text="What help the licensor owes.",
    )
    feature_overrides = MappingField(
        key="Feature (code)",
        value="Limit",
        value_field=LimitField(),
        required=False,
        help_text="Instead of the SKU revision's limits: yes, no (takes it away), a whole number, or unlimited.",
    )
    attributes = MappingField(
        key="Name", value="Value", value_field=forms.CharField(required=False), required=False, label="Further facts"
    )
    carry_over = forms.BooleanField(
        required=False,
        initial=True,
        label="Holders come along",
        widget=UnfoldBooleanSwitchWidget,
        help_text="Each holder of the entitlement that this one replaces gets a seat.",
    )

    class Meta:
        model = Entitlement
        exclude: ClassVar[list[str]] = []
        help_texts: ClassVar[dict[str, str]] = {
            "order_line": "What was ordered and paid for; it names the agreement, the seats and the term.",
            "sku_revision": "The terms under which it was sold. Choosing another revision moves the entitlement to it.",
            "grace_seconds": "Two weeks are 1209600 seconds.",
            "replaces": "A successor serves the same holders; it does not add seats.",
        }

    def initial_of(self, instance: Any) -> dict[str, Any]:
        """Return seats and regions as they are edited."""
        if self.is_new:
            return {}
        return {"unlimited": instance.seats is None, "regions": regions_of(instance)}

    def value_of(self, name: str) -> Any:
        """Return a payload's value."""
        if name == "seats":
            return "unlimited" if self.cleaned_data.get("unlimited") else self.cleaned_data.get("seats")
        if name == "carry_over":
            return False if self.cleaned_data.get("replaces") and not self.cleaned_data.get("carry_over") else None
        return super().value_of(name)

    def is_touched(self, name: str) -> bool:
        """Tell whether a payload's value was changed."""
        return super().is_touched(name) or (name == "seats" and "unlimited" in self.changed_data)

    def clean(self) -> dict[str, Any]:
        """Refuse seats that are neither a number nor unlimited, and a move mixed with other changes."""
        cleaned = super().clean()
        numbered = cleaned.get("seats") is not None
        if "seats" in self.fields and "seats" not in self.errors:
            if numbered and cleaned.get("unlimited") and "seats" in self.changed_data:
                self.add_error("seats", "Give a number or choose unlimited, not both.")
            elif not numbered and not cleaned.get("unlimited"):
                self.add_error("seats", "Say how many seats, or choose unlimited.")
        if self._moves() and set(self.changes()) - {"regions"}:
            self.add_error(
                "sku_revision",
                "Moving to another SKU revision is a change of its own, with its regions at most. "
                "Propose the rest apart.",
            )
        return cleaned

    def draft(self) -> Draft | None:
        """Return what the form asks for: a grant, a move, or an amendment."""
        if not self._moves():
            return super().draft()
        payload = {"sku_revision_id": self.value_of("sku_revision_id")} | self.changes()
        return Draft(kind=MOVE, payload=payload, target_id=self.instance.pk)

    def _fix(self) -> None:
        super()._fix()
        if not self.is_new and "sku_revision" in self.fields:
            self.fields["sku_revision"].disabled = False

    def _moves(self) -> bool:
        return not self.is_new and "sku_revision" in self.changed_data


class EndForm(RetireForm):
    """An entitlement ends at an instant; before it starts, it is taken back."""

    explanation = (
        "The entitlement ends at the instant given, which is not past; one that has not started yet is taken back "
        "if the instant is before its start."
    )
    field_order = ("ends_at", *RATIONALE)
    reason = None  # type: ignore[assignment]  # Django's way to drop a field: the payload has none: the justification says it

    ends_at = forms.SplitDateTimeField(
        label="Ends", widget=UnfoldAdminSplitDateTimeWidget, help_text="The first instant at which it no longer holds."
    )


def regions_of(entitlement: Entitlement) -> list[str]:
    """Return the groups that still stand for what they were expanded to, and the countries besides them."""
    revisions = entitlement.region_groups or {}
    groups = [
        group
        for group in RegionGroup.objects.filter(code__in=revisions, retired_at__isnull=True)
        if group.revision == revisions[group.code]
    ]
    grouped = {code for group in groups for code in group.countries}
    return sorted(group.code for group in groups) + sorted(set(entitlement.countries) - grouped)
