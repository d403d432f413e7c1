"""What announcements and subscriptions refuse."""

from foundation.errors import Conflict


class SubscriptionNameTaken(Conflict):
    """The role or the person has a subscription of that name."""

    code = "subscription_name_taken"
    title = "There is a subscription of that name"


class MustBeRead(Conflict):
    """Who holds a role does not leave what the role has to acknowledge."""

    code = "must_be_read"
    title = "This has to be read by everybody of the role"
