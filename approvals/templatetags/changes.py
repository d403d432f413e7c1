"""Parts of pages that speak of change requests: badges, counts in the navigation, names of roles."""

from datetime import datetime
from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser

from approvals import roles
from approvals.portal import inbox
from approvals.portal.inbox import Counts
from approvals.reminders.models import ReminderPreference
from approvals.reminders.services import frequency_of
from approvals.requests.models import ChangeRequest, Decision
from approvals.requests.states import PRESENTATIONS, Status
from approvals.verification.reads import is_overdue
from approvals.verification.rules import Criterion
from foundation import clock
from foundation.identity.models import User
from foundation.web.instants import in_reader_zone
from foundation.web.palette import tone

register = template.Library()
register.filter("in_zone", in_reader_zone)

_VERDICT_TONES = {"approve": "success", "ask_for_changes": "warning", "reject": "danger"}
_NOTHING = Counts(awaiting=0, mine=0, unread=0)


@register.inclusion_tag("components/badge.html")
def status_badge(status: str) -> dict[str, str]:
    """A request's status: its mark, word and tone, the same everywhere."""
    known = Status(status)
    return _badge(known.label, PRESENTATIONS[known].tone)


@register.inclusion_tag("components/badge.html")
def verdict_badge(decision: Decision, stale: bool = False) -> dict[str, str]:
    """A decision's verdict; a stale one is neutral and says so."""
    label = Decision.Verdict(decision.verdict).label
    return _badge(f"{label}, stale", "neutral") if stale else _badge(label, _VERDICT_TONES[decision.verdict])


@register.inclusion_tag("components/badge.html")
def badge(label: str, tone_name: str = "neutral") -> dict[str, str]:
    """A word in a tone."""
    return _badge(label, tone_name)


@register.simple_tag(takes_context=True)
def work_counts(context: dict[str, Any]) -> Counts:
    """The numbers in the navigation, for who is signed in."""
    user = getattr(context.get("request"), "user", None) or AnonymousUser()
    return inbox.counts(user, clock.now()) if isinstance(user, User) and user.is_active else _NOTHING


@register.simple_tag
def reminder_frequencies(user: User) -> list[tuple[str, str, bool]]:
    """The ways in which people are reminded, each with whether it is the user's."""
    chosen = frequency_of(user)
    return [(value, label, value == chosen) for value, label in ReminderPreference.Frequency.choices]


@register.filter
def role_name(role: str) -> str:
    """A role as people write it: IT operations."""
    return roles.words(role)


@register.filter
def overdue(change_request: ChangeRequest, now: datetime) -> bool:
    """Whether a change awaits verification and its time is over."""
    return is_overdue(change_request, now=now)


@register.inclusion_tag("components/badge.html")
def criterion_badge(criterion: Criterion) -> dict[str, str]:
    """Whether a criterion is met, as somebody saw it last."""
    label, tone_name = {
        "open": ("Not checked", "neutral"),
        "met": ("Met", "success"),
        "unmet": ("Not met", "danger"),
    }[criterion.state]
    return _badge(label, tone_name)


def _badge(label: str, tone_name: str) -> dict[str, str]:
    return {"label": label, "tone": tone_name, "mark": tone(tone_name).mark}
