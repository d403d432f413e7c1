"""
Admin pages of logins and roles, with the accounts and products granted to them.

They are not governed: they say who may see and touch what, and take effect at once. Each save records its events in the
same transaction. They stand here because the foundation knows neither the ledger nor accounts.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldBooleanSwitchWidget

from approvals.admin.access import may_propose
from approvals.roles import ROLES
from audit.services import NewEvent, Subject, record
from entitlements.admin.fields import AccountsField, ProductsField
from entitlements.catalog.models import Product
from entitlements.directory import events
from entitlements.directory.grants import Target, granted_ids, set_access
from entitlements.directory.models import Account
from foundation import clock
from foundation.identity.models import User
from foundation.web.admin import TenureAdmin

_EVERYWHERE: dict[str, Target] = {"all_accounts": Account, "all_products": Product}
_OWN = ("is_active", "is_staff", "is_superuser", "groups", "all_accounts", "all_products", "accounts", "products")


class GrantsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Accounts and products granted one by one."""

    accounts = AccountsField(
        required=False, label="Accounts granted", help_text="Each with those below it, now and later."
    )
    products = ProductsField(required=False, label="Products granted")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            return
        for name, target in (("accounts", Account), ("products", Product)):
            if name in self.fields:
                self.initial[name] = sorted(granted_ids(holder=self.instance, target=target))


class LoginForm(GrantsForm, UserChangeForm):  # type: ignore[misc]  # unfold has no types
    """A login."""

    groups = forms.ModelMultipleChoiceField(
        queryset=Group.objects.filter(name__in=[role.name for role in ROLES]).order_by("name"),
        required=False,
        label="Roles",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What the person may do. Where they may do it is granted below; both are needed.",
    )
    all_accounts = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget, label="All accounts")
    all_products = forms.BooleanField(required=False, widget=UnfoldBooleanSwitchWidget, label="All products")

    class Meta:
        model = User
        exclude: ClassVar[list[str]] = ["user_permissions"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = set(self.instance.user_permissions.values_list("codename", flat=True))
        for name in _EVERYWHERE:
            self.initial[name] = name in held


class NewLoginForm(UserCreationForm):  # type: ignore[misc]  # unfold has no types
    """A new login; roles and grants follow on its page."""

    class Meta:
        model = User
        fields = ("username",)


class RoleForm(GrantsForm):
    """A role's grants."""

    class Meta:
        model = Group
        fields: ClassVar[list[str]] = []


class _Granting:
    """What the pages of logins and roles share: grants are saved through their service, and saves record events."""

    def save_grants(self, request: HttpRequest, form: Any) -> None:
        """Grant what the form grants, and take back what it does not."""
        assert isinstance(request.user, User)  # noqa: S101  the admin answers nobody else
        for name, target in (("accounts", Account), ("products", Product)):
            if name in form.changed_data and name in form.cleaned_data:
                set_access(
                    holder=form.instance,
                    target=target,
                    ids=[row.pk for row in form.cleaned_data[name]],
                    actor=request.user,
                    now=clock.now(),
                )

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the events about it in the ledger."""
        return HttpResponseRedirect(f"{reverse('admin:audit_event_changelist')}?q={object_id}")


@admin.register(User)
class LoginAdmin(_Granting, UserAdmin, TenureAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Logins: who signs in, with which roles, and which accounts and products are granted to them."""

    form = LoginForm
    add_form = NewLoginForm
    change_password_form = AdminPasswordChangeForm
    actions = None
    list_display = ("username", "full_name", "email", "roles", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "human_id")
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email", "time_zone")}),
        (
            "What they may do",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups"),
                "description": "Staff may open these pages. Nobody, superuser or not, writes a governed record here.",
            },
        ),
        ("Where they may do it", {"fields": ("all_accounts", "accounts", "all_products", "products")}),
        (
            "Identity",
            {
                "fields": ("human_id", "last_login", "date_joined"),
                "description": "All logins of one human share it: nobody decides on what they wrote under another.",
            },
        ),
    )
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the logins, with their roles in one more query."""
        return super().get_queryset(request).prefetch_related("groups")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer as Django does; whoever proposes also finds people by typing, to name an owner."""
        match = request.resolver_match
        finds = match is not None and match.url_name == "autocomplete" and may_propose(request)
        return finds or bool(super().has_view_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no: a login is made inactive; what it did stays its."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what is shown only: one's own rights, and for others than superusers who is one."""
        readonly = tuple(super().get_readonly_fields(request, obj))
        if obj is not None and obj.pk == request.user.pk:
            return readonly + tuple(
                name for name in _OWN if name not in LoginForm.base_fields or name.startswith("is_")
            )
        return readonly if request.user.is_superuser else (*readonly, "is_superuser")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets; nobody edits their own roles and grants, so they are not asked."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or obj.pk != request.user.pk:
            return fieldsets
        asked = {name for name in _OWN if not name.startswith("is_")}
        return [
            (name, options | {"fields": [field for field in options["fields"] if field not in asked]})
            for name, options in fieldsets
            if set(options["fields"]) - asked
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form, without what nobody edits of their own login."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and obj.pk == request.user.pk:
            for name in ("groups", "all_accounts", "all_products", "accounts", "products"):
                form.base_fields.pop(name, None)
        return form

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """
        Set another password, with its event.

        :raises PermissionDenied: if the login is a superuser's and the user is none
        """
        target = self.get_object(request, id)
        if target is not None and target.is_superuser and not request.user.is_superuser:
            raise PermissionDenied("Only a superuser sets a superuser's password.")
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer as Django does; only superusers change a superuser."""
        allowed = bool(super().has_change_permission(request, obj))
        return allowed and (obj is None or not obj.is_superuser or request.user.is_superuser)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save roles and grants."""
        super().save_related(request, form, formsets, change)
        self.save_grants(request, form)
        for name in _EVERYWHERE:
            if name in form.changed_data and name in form.cleaned_data:
                permission = Permission.objects.get(content_type__app_label="entitlements", codename=name)
                change_permissions = form.instance.user_permissions
                (change_permissions.add if form.cleaned_data[name] else change_permissions.remove)(permission)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Return what changed: rights with their value, anything personal by its name alone."""
        return ", ".join(_told(form, name) for name in form.changed_data)

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Record the event."""
        _record(events.LOGIN_ADDED, request, obj, fields="")

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        """Record the event, if anything changed."""
        if message:
            _record(events.LOGIN_CHANGED, request, obj, fields=str(message))

    @admin.display(description="Name")
    def full_name(self, obj: User) -> str:
        """Return the person's name."""
        return obj.get_full_name() or "–"

    @admin.display(description="Roles")
    def roles(self, obj: User) -> str:
        """Return the roles."""
        return ", ".join(sorted(group.name for group in obj.groups.all())) or "–"


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(_Granting, TenureAdmin):
    """Roles: what each may do is code; the accounts and products granted to all who have it are edited here."""

    form = RoleForm
    list_display = ("name", "what")
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("name", "what")
    fields = ("name", "what", "accounts", "products")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answer no: roles are code, because policies name them."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the grants, and nothing else."""
        self.save_grants(request, form)

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        """Write nothing: a role's name and permissions are code."""

    def log_change(self, request: HttpRequest, obj: Group, message: Any) -> None:
        """Log nothing: each grant recorded its event."""

    @admin.display(description="What people of it do")
    def what(self, obj: Group) -> str:
        """Return the role's description."""
        return next((role.description for role in ROLES if role.name == obj.name), "–")


def _told(form: Any, name: str) -> str:
    if name == "groups":
        return f"roles now {', '.join(sorted(group.name for group in form.cleaned_data[name])) or 'none'}"
    if name.startswith(("is_", "all_")):
        return f"{name.replace('_', ' ')}: {'yes' if form.cleaned_data[name] else 'no'}"
    return name.replace("_", " ").rstrip("12")


def _record(event_type: str, request: HttpRequest, login: User, *, fields: str) -> None:
    actor = request.user
    assert isinstance(actor, User)  # noqa: S101  the admin answers nobody else
    record(
        event=NewEvent(
            type=event_type,
            actor=actor,
            subject=Subject(type="foundation.user", id=login.pk, label=f"login {login.pk}"),
            data={"login_id": login.pk, "fields": fields},
        ),
        now=clock.now(),
    )
