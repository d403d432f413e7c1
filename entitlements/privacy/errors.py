"""What erasing and holding people refuses."""

from foundation.errors import Conflict, NotPermitted


class PersonHeld(Conflict):
    """A hold stands."""

    code = "person_held"
    title = "This person is held"


class LoginActive(Conflict):
    """Somebody who can still sign in is not erased."""

    code = "login_active"
    title = "A login of this person is active"


class AlreadyErased(Conflict):
    """Nothing is left to erase."""

    code = "already_erased"
    title = "Nothing is left to erase"


class HoldLifted(Conflict):
    """The hold is lifted already."""

    code = "hold_lifted"
    title = "This hold is lifted already"


class OwnDetails(NotPermitted):
    """Nobody erases or holds themselves."""

    code = "own_details"
    title = "Nobody erases or holds themselves"
