"""Addresses of change control under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from approvals.api import subscriptions, tickets
from approvals.api.accounting_periods import AccountingPeriods
from approvals.api.announcements import Announcements
from approvals.api.attachments import Attachments
from approvals.api.authority import AuthorityLimits, Delegations
from approvals.api.comments import Comments
from approvals.api.freezes import Freezes
from approvals.api.permits import Permits
from approvals.api.policies import Policies
from approvals.api.reminders import Acknowledge, Preference, Snooze, WaitingList
from approvals.api.revisions import DifferenceView
from approvals.api.standards import StandardTemplates
from approvals.api.tokens import Token, Tokens
from approvals.api.verification import Inverse, Verification
from approvals.api.views import ChangeRequests, Kinds, Plans

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("change-requests", ChangeRequests, basename="change-request")
router.register("policies", Policies, basename="policy")
router.register("accounting-periods", AccountingPeriods, basename="accounting-period")
router.register("freezes", Freezes, basename="freeze")
router.register("authority-limits", AuthorityLimits, basename="authority-limit")
router.register("permits", Permits, basename="permit")
router.register("standard-templates", StandardTemplates, basename="standard-template")

urlpatterns = [
    *router.urls,
    path(
        "change-requests/<uuid:id>/comments",
        Comments.as_view({"get": "list", "post": "create"}),
        name="comments",
    ),
    path(
        "change-requests/<uuid:id>/attachments",
        Attachments.as_view({"get": "list", "post": "create"}),
        name="attachments",
    ),
    path(
        "change-requests/<uuid:id>/attachments/<uuid:attachment_id>",
        Attachments.as_view({"get": "retrieve"}),
        name="attachment",
    ),
    path(
        "change-requests/<uuid:id>/attachments/<uuid:attachment_id>/content",
        Attachments.as_view({"get": "content"}),
        name="attachment-content",
    ),
    path("change-requests/<uuid:id>/difference", DifferenceView.as_view(), name="difference"),
    path("change-requests/<uuid:id>/tickets", tickets.Tickets.as_view(), name="tickets"),
    path(
        "change-requests/<uuid:id>/tickets/<uuid:ticket_id>/read", tickets.TicketOfChange.as_view(), name="ticket-read"
    ),
    path(
        "change-requests/<uuid:id>/tickets/<uuid:ticket_id>/retry", tickets.TicketRetry.as_view(), name="ticket-retry"
    ),
    path(
        "change-requests/<uuid:id>/tickets/<uuid:ticket_id>/release",
        tickets.TicketRelease.as_view(),
        name="ticket-release",
    ),
    path("ticket-systems", tickets.TicketSystems.as_view(), name="ticket-systems"),
    path("ticket-systems/<uuid:id>", tickets.TicketSystemDetail.as_view(), name="ticket-system"),
    path("delegations", Delegations.as_view({"get": "list", "post": "create"}), name="delegations"),
    path("delegations/<uuid:id>/revoke", Delegations.as_view({"post": "revoke"}), name="delegation-revoke"),
    path("change-requests/<uuid:id>/verification", Verification.as_view(), name="verification"),
    path("change-requests/<uuid:id>/inverse", Inverse.as_view(), name="inverse"),
    path("change-requests/<uuid:id>/permits", Permits.as_view({"post": "take"}), name="change-request-permits"),
    path("change-requests/<uuid:id>/snooze", Snooze.as_view(), name="snooze"),
    path("change-requests/<uuid:id>/acknowledge", Acknowledge.as_view(), name="acknowledge"),
    path("announcements", Announcements.as_view({"get": "list"}), name="announcements"),
    path("announcements/<uuid:id>", Announcements.as_view({"get": "retrieve"}), name="announcement"),
    path(
        "announcements/<uuid:id>/acknowledge",
        Announcements.as_view({"post": "acknowledge"}),
        name="announcement-acknowledge",
    ),
    path("subscriptions", subscriptions.Subscriptions.as_view(), name="subscriptions"),
    path("subscriptions/<uuid:id>", subscriptions.SubscriptionDetail.as_view(), name="subscription"),
    path(
        "subscriptions/<uuid:id>/following",
        subscriptions.SubscriptionFollowing.as_view(),
        name="subscription-following",
    ),
    path("waiting", WaitingList.as_view(), name="waiting"),
    path("reminders/preference", Preference.as_view(), name="reminder-preference"),
    path("plans", Plans.as_view(), name="plans"),
    path("kinds", Kinds.as_view(), name="kinds"),
    path("tokens", Tokens.as_view(), name="tokens"),
    path("tokens/<str:token_id>", Token.as_view(), name="token"),
]
