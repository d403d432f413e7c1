"""Addresses of change control for people, at the root of the site."""

from django.urls import URLPattern, URLResolver, include, path

from approvals.portal import (
    announcement_views,
    authorizations,
    deputies,
    file_views,
    freezes,
    reminder_views,
    revision_views,
    tickets,
    verifying,
    views,
    worklists,
)
from foundation.web import accounts

_changes = [
    path("", views.Work.as_view(), name="inbox"),
    path("delegations/", deputies.Delegations.as_view(), name="delegations"),
    path("delegations/<uuid:delegation_id>/revoke/", deputies.Revoke.as_view(), name="delegation-revoke"),
    path("changes/", views.Changes.as_view(), name="changes"),
    path("announcements/", announcement_views.Announcements.as_view(), name="announcements"),
    path("announcements/<uuid:announcement_id>/read/", announcement_views.Read.as_view(), name="announcement-read"),
    path("announcements/subscriptions/", announcement_views.Subscriptions.as_view(), name="subscriptions"),
    path(
        "announcements/subscriptions/<uuid:subscription_id>/follow/",
        announcement_views.Follow.as_view(),
        name="subscription-follow",
    ),
    path(
        "announcements/subscriptions/<uuid:subscription_id>/end/",
        announcement_views.End.as_view(),
        name="subscription-end",
    ),
    path(
        "announcements/subscriptions/<uuid:subscription_id>/edit/",
        announcement_views.Edit.as_view(),
        name="subscription-edit",
    ),
    path("freezes/", freezes.Freezes.as_view(), name="freezes"),
    path("changes/export.csv", worklists.Export.as_view(), name="changes-export"),
    path("changes/approve/", worklists.Approve.as_view(), name="changes-approve"),
    path("changes/filters/", worklists.Save.as_view(), name="filter-save"),
    path("changes/filters/<str:slug>/remove/", worklists.Remove.as_view(), name="filter-remove"),
    path("changes/<int:number>/", views.Change.as_view(), name="change-request"),
    path("changes/<int:number>/pdf", views.Printed.as_view(), name="change-pdf"),
    path("changes/<int:number>/edit/", views.Edit.as_view(), name="change-edit"),
    path("changes/<int:number>/decide/", views.Decide.as_view(), name="change-decide"),
    path("changes/<int:number>/comment/", views.Comment.as_view(), name="change-comment"),
    path("changes/<int:number>/attach/", file_views.Attach.as_view(), name="change-attach"),
    path("changes/<int:number>/files/<uuid:attachment_id>/", file_views.File.as_view(), name="change-file"),
    path("changes/<int:number>/revisions/", revision_views.Revisions.as_view(), name="change-revisions"),
    path("changes/<int:number>/snooze/", reminder_views.Snooze.as_view(), name="change-snooze"),
    path("changes/<int:number>/seen/", reminder_views.Seen.as_view(), name="change-seen"),
    path("profile/reminders/", reminder_views.Frequency.as_view(), name="reminders"),
    path("changes/<int:number>/submit/", views.Submit.as_view(), name="change-submit"),
    path("changes/<int:number>/replan/", views.Replan.as_view(), name="change-replan"),
    path("changes/<int:number>/withdraw/", views.Withdraw.as_view(), name="change-withdraw"),
    path("changes/<int:number>/verify/", verifying.Verify.as_view(), name="change-verify"),
    path("changes/<int:number>/act-back/", verifying.ActBack.as_view(), name="change-act-back"),
    path("changes/<int:number>/apply/", views.Apply.as_view(), name="change-apply"),
    path("changes/<int:number>/tickets/open/", tickets.OpenTicket.as_view(), name="ticket-open"),
    path("changes/<int:number>/tickets/tie/", tickets.TieTicket.as_view(), name="ticket-tie"),
    path("changes/<int:number>/tickets/<uuid:ticket_id>/read/", tickets.ReadTicket.as_view(), name="ticket-read"),
    path("changes/<int:number>/tickets/<uuid:ticket_id>/retry/", tickets.RetryTicket.as_view(), name="ticket-retry"),
    path(
        "changes/<int:number>/tickets/<uuid:ticket_id>/release/", tickets.ReleaseTicket.as_view(), name="ticket-release"
    ),
    path("changes/<int:number>/template/", authorizations.ChooseTemplate.as_view(), name="change-template"),
    path("changes/<int:number>/permit/", authorizations.TakePermit.as_view(), name="change-permit"),
    path("changes/<int:number>/permit/use/", authorizations.UsePermit.as_view(), name="change-permit-use"),
    path("changes/<int:number>/permit/review/", authorizations.ReviewPermit.as_view(), name="change-permit-review"),
    path("permits/", authorizations.Permits.as_view(), name="permits"),
    path("standard-templates/", authorizations.Templates.as_view(), name="standard-templates"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((_changes, "approvals"))),
    path("sign-in/", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign-out"),
    path("profile/", accounts.Profile.as_view(), name="profile"),
]
