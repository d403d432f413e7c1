"""Parts of pages that speak of standard templates and emergency permits."""

from datetime import datetime
from typing import Any

from django import template

from approvals.permits import queries
from approvals.permits.models import Permit
from approvals.portal import permits, standards
from foundation.identity.models import User

register = template.Library()


@register.simple_tag(takes_context=True)
def standard_panel(context: dict[str, Any]) -> standards.Panel:
    """What the page's request has to do with standard templates."""
    user, now = context["request"].user, context["now"]
    return standards.of_request(change_request=context["change_request"], user=user, now=now)


@register.simple_tag(takes_context=True)
def permit_panel(context: dict[str, Any]) -> permits.Panel:
    """What the page's request has to do with emergency permits."""
    user, now = context["request"].user, context["now"]
    return permits.of_request(change_request=context["change_request"], user=user, now=now)


@register.simple_tag(takes_context=True)
def permits_awaiting(context: dict[str, Any]) -> list[Permit]:
    """The emergencies that the reader is asked to review."""
    user = context["request"].user
    return queries.awaiting_review_of(user=user, now=context["now"]) if isinstance(user, User) else []


@register.filter
def overdue_at(permit: Permit, now: datetime) -> bool:
    """Whether a permit's review is overdue at an instant."""
    return permit.is_overdue(now)
