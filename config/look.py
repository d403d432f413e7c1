"""How the admin looks: the portal's palette, the same words, and where its pages are found."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

from foundation.web.palette import PRIMARY

Allowed = Callable[[HttpRequest], bool]


def _having(permission: str) -> Allowed:
    def allowed(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return allowed


def _served(path: str) -> Callable[[HttpRequest], str]:
    def address(request: HttpRequest) -> str:
        return static(path)

    return address


def _page(title: str, icon: str, model: str, permission: str = "approvals.view_changerequest") -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model}_changelist"),
        "permission": _having(permission),
    }


_NAVIGATION = [
    {
        "title": "Change control",
        "items": [
            _page("Change requests", "rule", "approvals_changerequest"),
            _page("Policies", "policy", "approvals_policy"),
            _page("Freezes", "ac_unit", "approvals_freeze"),
            _page("Closed periods", "lock_clock", "approvals_accountingperiod"),
            _page(
                "Ticket systems", "confirmation_number", "approvals_ticketsystem", "approvals.configure_ticketsystem"
            ),
            _page("Authority limits", "speed", "approvals_authoritylimit"),
            _page("Emergency permits", "e911_emergency", "approvals_permit"),
            _page("Standard templates", "bolt", "approvals_standardtemplate"),
            _page("Ledger", "history_edu", "audit_event", "audit.view_event"),
        ],
    },
    {
        "title": "Rights",
        "separator": True,
        "items": [
            _page("Entitlements", "verified", "entitlements_entitlement"),
            _page("Seats", "event_seat", "entitlements_seat"),
            _page("Agreements", "contract", "entitlements_agreement"),
            _page("Order lines", "receipt_long", "entitlements_orderline"),
        ],
    },
    {
        "title": "Directory",
        "separator": True,
        "items": [
            _page("Accounts", "corporate_fare", "entitlements_account"),
            _page("Deployments", "dns", "entitlements_deployment"),
            _page("People", "groups", "entitlements_person"),
        ],
    },
    {
        "title": "Catalog",
        "separator": True,
        "items": [
            _page("Products", "deployed_code", "entitlements_product"),
            _page("Features", "toggle_on", "entitlements_feature"),
            _page("Releases", "new_releases", "entitlements_release"),
            _page("SKUs", "sell", "entitlements_sku"),
            _page("SKU revisions", "layers", "entitlements_skurevision"),
            _page("Region groups", "public", "entitlements_regiongroup"),
        ],
    },
    {
        "title": "Access and delivery",
        "separator": True,
        "items": [
            _page("Logins", "person", "foundation_user", "foundation.view_user"),
            _page("Roles", "shield_person", "auth_group", "auth.view_group"),
            _page("Outbox", "outbox", "foundation_outboxmessage", "foundation.view_outboxmessage"),
        ],
    },
]

LOOK: dict[str, Any] = {
    "SITE_TITLE": "Tenure",
    "SITE_HEADER": "Tenure",
    "SITE_SUBHEADER": "Registry; every save proposes",
    "SITE_SYMBOL": "swap_horiz",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _served("tenure/icon.svg")}],
    "STYLES": [_served("tenure/admin.css")],
    "SCRIPTS": [_served("tenure/admin.js")],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": dict(PRIMARY)},
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": _NAVIGATION},
}
