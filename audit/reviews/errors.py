"""What access reviews refuse."""

from foundation.errors import Conflict, NotPermitted


class NoReviewer(Conflict):
    """Entries would have nobody who may look at them."""

    code = "no_reviewer"
    title = "Somebody would have to review themselves, or nobody could"


class NothingToReview(Conflict):
    """There is no right within the scope."""

    code = "nothing_in_scope"
    title = "There is nothing to review"


class ReviewClosed(Conflict):
    """The campaign is closed."""

    code = "review_closed"
    title = "This access review is closed"


class ReviewUndecided(Conflict):
    """Entries are left."""

    code = "review_undecided"
    title = "Something is not decided yet"


class EntryDecided(Conflict):
    """It was decided before."""

    code = "entry_decided"
    title = "This was decided already"


class NotTheReviewer(NotPermitted):
    """Somebody else looks at this entry."""

    code = "not_the_reviewer"
    title = "Somebody else reviews this"


class NotRevoked(Conflict):
    """It could not be taken back, so nothing was decided."""

    code = "not_revoked"
    title = "It could not be taken back"
