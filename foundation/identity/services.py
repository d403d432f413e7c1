"""What people change of their own login."""

from django.core.exceptions import ValidationError
from django.db import transaction

from foundation.errors import InvalidInput
from foundation.identity.models import User, validate_time_zone


@transaction.atomic
def choose_time_zone(*, user: User, time_zone: str) -> User:
    """
    Keep the zone in which a user reads instants; empty follows the installation.

    :raises InvalidInput: if it is not in the IANA time-zone database
    """
    if time_zone:
        try:
            validate_time_zone(time_zone)
        except ValidationError as error:
            raise InvalidInput(
                error.messages[0], errors=[{"field": "time_zone", "message": error.messages[0]}]
            ) from None
    user.time_zone = time_zone
    user.save(update_fields=["time_zone"])
    return user
