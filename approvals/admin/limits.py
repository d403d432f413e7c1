"""Admin pages of authority limits. A change of a limit passes the policy in force."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from approvals.admin.forms import ProposalForm
from approvals.admin.lists import UseFilter
from approvals.admin.proposing import ProposingAdmin
from approvals.authority.models import AuthorityLimit
from approvals.policies.eligibility import DECIDING_ROLES, logins_of, names_of


class LimitForm(ProposalForm):
    """Up to what somebody decides."""

    person = forms.CharField(
        label="Login",
        max_length=150,
        widget=UnfoldAdminTextInputWidget,
        help_text="Whose authority it is, whatever other login they have. It stays as it is.",
    )

    role = forms.ChoiceField(
        choices=[("", "–"), *((role, role) for role in sorted(DECIDING_ROLES))], widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = AuthorityLimit
        exclude: ClassVar[list[str]] = ["human"]

    def initial_of(self, instance: Any) -> dict[str, Any]:
        """Return the login by which the person can be named."""
        return {} if self.is_new else {"person": logins_of([str(instance.human)])[0]}

    def called(self) -> str:
        """Return what people call the limit."""
        return f"Authority limit as {self.cleaned_data.get('role', '')}" if self.is_new else str(self.instance)


@admin.register(AuthorityLimit)
class AuthorityLimitAdmin(ProposingAdmin):
    """Up to what approvers decide: seats that a change adds, money that it commits."""

    form = LimitForm
    create_kind = "authority_limit.create"
    amend_kind = "authority_limit.amend"
    retire_kind = "authority_limit.retire"
    list_display = ("of", "role", "seats", "money", "currency", "starts_at", "ends_at")
    list_filter = (UseFilter, "role")
    search_fields = ("role",)
    ordering = ("role", "starts_at", "id")
    shown_as: ClassVar[dict[str, str]] = {"person": "of"}
    fieldsets = ((None, {"fields": ("person", "role", "seats", "money", "currency", "starts_at", "ends_at")}),)

    @admin.display(description="Whose")
    def of(self, obj: AuthorityLimit) -> str:
        """Return whose limit it is."""
        human = str(obj.human)
        return names_of([human]).get(human, "Somebody")
