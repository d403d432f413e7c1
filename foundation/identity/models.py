"""Who signs in."""

import uuid
import zoneinfo

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

# What stands in the place of the name of who was erased, wherever people are named.
ERASED = "a person whose details were erased"


def validate_time_zone(value: str) -> None:
    """
    Refuse a name that is not in the IANA time-zone database.

    :raises ValidationError: if it is not
    """
    if value not in zoneinfo.available_timezones():
        raise ValidationError(f"“{value}” is not a time zone. Use a name such as Europe/Berlin or America/New_York.")


class User(AbstractUser):
    """
    One login.

    `human_id` is shared by all logins of one human and by the directory's person: separation of duties compares it,
    never the login. Names and mail are nowhere else, so that they can be erased (docs/erasure.md); `erased_at` remains.
    Deliberately absent: roles (they are groups) and account grants (they are object permissions).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    human_id = models.UUIDField(default=uuid.uuid4, db_index=True)
    time_zone = models.CharField(max_length=64, blank=True, default="", validators=[validate_time_zone])
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "user"
        verbose_name_plural = "users"
        constraints = [
            # Nothing of who was erased comes back, and nobody signs in as them.
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(is_active=False, first_name=ERASED, last_name="", email="", username__startswith="erased-"),
                name="user_erased_is_empty",
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.get_username()
