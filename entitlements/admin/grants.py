"""Admin pages of entitlements and of the operational rows that go with them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display

from approvals.admin.access import may_read
from approvals.admin.proposing import ProposingAdmin
from entitlements.admin.catalog import names_of_countries
from entitlements.admin.grant_forms import EndForm, EntitlementForm
from entitlements.admin.seeing import Seen, SeenReadingAdmin
from entitlements.grants.models import Activation, Entitlement, Seat, SeatPool
from entitlements.surfaces import visibility
from foundation import clock
from foundation.templatetags.tenure import whole
from foundation.web.reading import found_by


class StateFilter(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """Where entitlements stand in time."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """Return the states."""
        return [("in_force", "In force"), ("upcoming", "Not started"), ("ended", "Ended"), ("withdrawn", "Taken back")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows in the state chosen."""
        now = clock.now()
        conditions = {
            "in_force": Q(starts_at__lte=now, withdrawn_at__isnull=True)
            & (Q(ends_at__isnull=True) | Q(ends_at__gt=now)),
            "upcoming": Q(starts_at__gt=now, withdrawn_at__isnull=True),
            "ended": Q(ends_at__lte=now, withdrawn_at__isnull=True),
            "withdrawn": Q(withdrawn_at__isnull=False),
        }
        condition = conditions.get(str(self.value()))
        return queryset.filter(condition) if condition is not None else queryset


class _ReadInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """Operational rows beside an entitlement, read only."""

    extra = 0
    max_num = 0
    can_delete = False
    tab = True

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer as for the entitlement; a new one has none of these yet."""
        return obj is not None and may_read(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answer no."""
        return False


class SeatPoolInline(_ReadInline):
    """The entitlement's counter."""

    model = SeatPool
    fields = ("granted", "used", "hard")
    verbose_name_plural = "seats"


class ActivationInline(_ReadInline):
    """The cohorts that it serves."""

    model = Activation
    fields = ("countries", "accounts", "people")
    verbose_name_plural = "activation (empty: everybody)"


@admin.register(Entitlement)
class EntitlementAdmin(Seen, ProposingAdmin):
    """Rights of accounts under order lines."""

    sees = staticmethod(visibility.entitlements)
    create_kind = "entitlement.grant"
    form = EntitlementForm
    retire_form = EndForm
    retire_verb = "End"
    leaves = frozenset({"people", "holders", "release"})
    moves = frozenset({"sku_revision"})
    labels: ClassVar[dict[str, str]] = {
        "sku_revision": "SKU revision",
        "grace_seconds": "Grace, in seconds",
        "enforcement": "Beyond the granted seats, use is",
        "owner": "Owner (whom to ask)",
        "replaces": "Replaces (predecessor)",
    }
    list_display = (
        "reference",
        "account",
        "terms",
        "phase_shown",
        "seats_shown",
        "starts_at",
        "ends_at",
        "state",
    )
    list_select_related = ("account", "sku_revision__sku", "pool")
    list_filter = (
        StateFilter,
        ("phase", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("sku", AutocompleteSelectFilter),
        ("starts_at", RangeDateTimeFilter),
        ("ends_at", RangeDateTimeFilter),
    )
    date_hierarchy = "ends_at"
    search_fields = ("reference", "account__name", "account__code", "sku__code", "order_line__reference")
    ordering = ("reference",)
    autocomplete_fields = ("account", "order_line", "sku_revision", "owner", "replaces")
    readonly_fields = ("withdrawn_at",)
    inlines = (SeatPoolInline, ActivationInline)
    shown_as: ClassVar[dict[str, str]] = {
        "regions": "regions_shown",
        "unlimited": "",
        "carry_over": "",
        "seats": "granted",
        "environments": "environments_shown",
    }
    fieldsets = (
        (
            None,
            {
                "fields": ("reference", "account", "order_line", "sku_revision", "phase", "owner"),
                "description": "The right of an account under an order line. "
                "Nothing can be granted that no order line gives.",
            },
        ),
        ("Seats", {"fields": ("seats", "unlimited", "enforcement")}),
        ("Where", {"fields": ("regions", "environments")}),
        (
            "Term",
            {
                "fields": ("starts_at", "ends_at", "updates_until", "support_until", "grace_seconds"),
                "description": "Right of use from the start up to, and without, the end. An empty end is perpetual. "
                "Grace is what checks still allow after the end; nobody should plan on it.",
            },
        ),
        ("Successor", {"fields": ("replaces", "carry_over")}),
        ("Features and support", {"fields": ("feature_overrides", "support_level"), "classes": ["collapse"]}),
        ("Notes", {"fields": ("notes", "attributes"), "classes": ["collapse"]}),
    )

    def is_open(self, record: Any) -> bool:
        """Tell whether the entitlement was not taken back."""
        return record.withdrawn_at is None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fieldsets; what is said once, when it is granted, is not asked again."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        once = {"carry_over"}
        return [
            (name, options | {"fields": [field for field in options["fields"] if field not in once]})
            for name, options in fieldsets
        ]

    @display(  # type: ignore[untyped-decorator]  # unfold has no types
        description="Phase",
        ordering="phase",
        label={"Trial": "info", "Bridge": "warning", "Production": "success"},
    )
    def phase_shown(self, obj: Entitlement) -> str:
        """Return the phase."""
        return obj.get_phase_display()

    @admin.display(description="Seats")
    def granted(self, obj: Entitlement) -> str:
        """Return the grant alone: a past version has no use of its own."""
        return "unlimited" if obj.seats is None else whole(obj.seats)

    @admin.display(description="Seats (used of granted)")
    def seats_shown(self, obj: Entitlement) -> str:
        """Return use and grant."""
        pool = getattr(obj, "pool", None)
        return f"{whole(pool.used)} of {self.granted(obj)}" if pool is not None else self.granted(obj)

    @admin.display(description="SKU revision", ordering="sku_revision")
    def terms(self, obj: Entitlement) -> str:
        """Return the SKU revision under which it was sold."""
        return str(obj.sku_revision)

    @admin.display(description="State")
    def state(self, obj: Entitlement) -> str:
        """Return where it stands in time."""
        now = clock.now()
        if obj.withdrawn_at is not None:
            return "Taken back"
        if obj.starts_at > now:
            return "Not started"
        return "In force" if obj.ends_at is None or obj.ends_at > now else "Ended"

    @admin.display(description="Countries of use")
    def regions_shown(self, obj: Entitlement) -> str:
        """Return the countries, as expanded when it was planned."""
        return names_of_countries(obj.countries)

    @admin.display(description="Environments allowed")
    def environments_shown(self, obj: Entitlement) -> str:
        """Return the environments."""
        return ", ".join(obj.environments)


@admin.register(Seat)
class SeatAdmin(SeenReadingAdmin):
    """Seats taken and released by services."""

    sees = staticmethod(visibility.seats)
    list_display = ("entitlement", "holder", "taken_at", "released_at", "over_granted")
    list_select_related = ("entitlement", "person")
    list_filter = (
        ("entitlement", AutocompleteSelectFilter),
        ("taken_at", RangeDateTimeFilter),
        ("released_at", RangeDateTimeFilter),
    )
    search_fields = ("person__id",)
    ordering = ("-taken_at", "id")
    fields = ("entitlement", "holder", "taken_at", "released_at", "over_granted")
    readonly_fields = ("holder",)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Find by the person's or the entitlement's whole UUID."""
        return found_by(queryset, search_term, uuids=("person_id", "entitlement_id"))

    @admin.display(description="Holder")
    def holder(self, obj: Seat) -> str:
        """Return who holds it: a device, or a person by UUID."""
        return f"device {obj.device}" if obj.person_id is None else f"person {obj.person_id}"
