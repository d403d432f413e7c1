"""Who opens campaigns, and who sees which."""

import uuid

from audit.reviews.models import AccessReview, AccessReviewQuerySet
from foundation.errors import NotFound, NotPermitted
from foundation.identity.models import User

OPEN = "audit.open_accessreview"


def may_open(user: User) -> bool:
    """Whether the user opens campaigns, gives entries to others and closes them."""
    return user.is_active and user.has_perm(OPEN)


def check_may_open(user: User) -> None:
    """
    Refuse whoever does not open campaigns.

    :raises NotPermitted: if the user may not
    """
    if not may_open(user):
        raise NotPermitted("You may not open access reviews or change them. Ask an auditor or an administrator.")


def visible_reviews(user: User) -> AccessReviewQuerySet:
    """All campaigns for whoever opens some; for others those in which they look at something."""
    if not user.is_active:
        return AccessReview.objects.none()
    return AccessReview.objects.all() if may_open(user) else AccessReview.objects.of_reviewer(user)


def visible_review(*, user: User, review_id: uuid.UUID) -> AccessReview:
    """
    One of them.

    :raises NotFound: if there is none
    """
    found = visible_reviews(user).filter(id=review_id).select_related("opened_by", "closed_by").first()
    if found is None:
        raise NotFound("There is no such access review, or nothing in it is yours to review.")
    return found
