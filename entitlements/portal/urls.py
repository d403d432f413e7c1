"""Addresses of the registry for people, at the root of the site."""

from django.urls import path

from entitlements.portal import privacy, views

urlpatterns = [
    path("entitlements/", views.Entitlements.as_view(), name="entitlements"),
    path("entitlements/<uuid:entitlement_id>/", views.Entitlement.as_view(), name="entitlement"),
    path("entitlements/<uuid:entitlement_id>/holders/", views.Holders.as_view(), name="entitlement-holders"),
    path("accounts/", views.Accounts.as_view(), name="accounts"),
    path("accounts/<path:code>/coverage/", views.AccountCoverage.as_view(), name="account-coverage"),
    path("privacy/", privacy.Privacy.as_view(), name="privacy"),
    path("privacy/<uuid:human_id>/", privacy.OneHuman.as_view(), name="human"),
    path("privacy/<uuid:human_id>/erase/", privacy.Erase.as_view(), name="human-erase"),
    path("privacy/<uuid:human_id>/hold/", privacy.Hold.as_view(), name="human-hold"),
    path("privacy/<uuid:human_id>/holds/<uuid:hold_id>/lift/", privacy.Lift.as_view(), name="human-lift"),
    path("check/", views.CheckAccess.as_view(), name="check-access"),
    # Without a slash at the end: the path that answers of checks name (entitlements/checks/reasons.py).
    path("guidance/reason-codes", views.ReasonCodes.as_view(), name="reason-codes"),
    path("changes/<int:number>/items/", views.PlanChanges.as_view(), name="plan-changes"),
]
