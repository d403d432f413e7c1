"""A model field for secrets."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression

from foundation.secrets.services import Secret


class EncryptedText(models.TextField):  # type: ignore[type-arg]  # not generic when it runs
    """
    Text that the database holds encrypted and Python sees as a `Secret`.

    Assign text, or a `Secret`. Forms and serializers do not offer it for editing, and show a mask where they show it
    at all; history and dumps hold the encrypted form. It cannot be searched: the same text is encrypted differently
    each time.
    """

    description = "Encrypted text"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def from_db_value(
        self, value: str | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Secret | None:
        """Return the stored form as a secret."""
        return None if value is None else Secret(value)

    def to_python(self, value: Any) -> Any:
        """Return an assigned value as a secret."""
        return value if value is None or isinstance(value, Secret) else Secret.of(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        """Return the form that is stored."""
        secret = self.to_python(value)
        return None if secret is None else secret.token

    def value_to_string(self, obj: models.Model) -> str:
        """Return the encrypted form, for dumps."""
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def get_lookup(self, lookup_name: str) -> Any:
        """
        Return the lookup, of which there is only the one for null.

        :raises TypeError: if a query would compare secrets
        """
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is encrypted and cannot be compared in a query.")
        return super().get_lookup(lookup_name)
