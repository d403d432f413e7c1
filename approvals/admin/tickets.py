"""
Admin pages of ticket systems. They are not governed: they take effect at once, and each save records its event.
"""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from approvals.roles import CONFIGURE_TICKETS
from approvals.tickets import systems
from approvals.tickets.connectors import connectors
from approvals.tickets.models import TicketSystem
from approvals.tickets.systems import SystemSettings
from foundation import clock
from foundation.errors import DomainError
from foundation.identity.models import User
from foundation.web.admin import TenureAdmin


def products() -> list[tuple[str, str]]:
    """Return the products that there is a connector for."""
    return [(name, found.title) for name, found in sorted(connectors().items())]


class TicketSystemForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A ticket system; saved by its service, which is asked when the form is checked."""

    product = forms.ChoiceField(choices=products, widget=UnfoldAdminSelectWidget)
    # The stored secret is not in the form: nothing that is sent to a browser holds it.
    secret_entered = forms.CharField(
        required=False,
        strip=False,
        label="Secret",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="A password, or a bearer token if there is no account. Left empty, the stored one is kept; another "
        "address or account needs it again.",
    )

    class Meta:
        model = TicketSystem
        fields = ("code", "name", "product", "base_url", "account", "settings", "enabled")
        help_texts: ClassVar[dict[str, str]] = {
            "code": "What policies and programs call it; it stays.",
            "base_url": "Such as https://example.service-now.com or https://example.atlassian.net.",
            "account": "The user whose password the secret is; empty if the secret is a bearer token.",
            "settings": "What each product needs is in docs/tickets.md.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["code"].disabled = True
            self.fields["product"].disabled = True

    def asked(self) -> SystemSettings:
        """Return what the form says, for the service."""
        values = self.cleaned_data
        return SystemSettings(
            code=values["code"],
            name=values["name"],
            product=values["product"],
            base_url=values["base_url"],
            account=values["account"],
            secret=values["secret_entered"] or None,
            settings=values["settings"],
            enabled=values["enabled"],
        )

    def clean_settings(self) -> Any:
        """
        Return the settings.

        :raises ValidationError: if they are no JSON object
        """
        value = self.cleaned_data["settings"] or {}
        if not isinstance(value, dict):
            raise ValidationError("Write a JSON object, such as " + json.dumps({"table": "change_request"}) + ".")
        return value


@admin.register(TicketSystem)
class TicketSystemAdmin(TenureAdmin):
    """Systems whose tickets stand for changes: where they are and how Tenure signs in."""

    form = TicketSystemForm
    list_display = ("name", "code", "product", "base_url", "enabled", "changed_at")
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = ("code", "name", "product", "base_url", "account", "secret_entered", "settings", "enabled")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer whether the user may set up ticket systems."""
        return request.user.is_active and request.user.is_staff and request.user.has_perm(CONFIGURE_TICKETS)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Answer as for reading."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer as for reading."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer as for reading."""
        return self.has_view_permission(request)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or save; what the service refuses is told above the form that stands as it was stored."""
        try:
            response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.get_full_path())
        return response

    def save_model(self, request: HttpRequest, obj: TicketSystem, form: Any, change: bool) -> None:
        """Save through the service, which records the event."""
        assert isinstance(request.user, User)  # noqa: S101  the admin answers nobody else
        asked, now = form.asked(), clock.now()
        if change:
            systems.change(system_id=obj.id, asked=asked, actor=request.user, now=now)
        else:
            obj.id = systems.add(asked=asked, actor=request.user, now=now).id

    def log_addition(self, request: HttpRequest, obj: TicketSystem, message: Any) -> None:
        """Write nothing: the service recorded the event."""

    def log_change(self, request: HttpRequest, obj: TicketSystem, message: Any) -> None:
        """Write nothing: the service recorded the event."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the system's events in the ledger."""
        return HttpResponseRedirect(f"{reverse('admin:audit_event_changelist')}?q={object_id}")
