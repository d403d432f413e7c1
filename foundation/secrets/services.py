"""
Secrets at rest: encrypted with a key that is not in the database, and never shown again.

`SECRETS_KEYS` holds Fernet keys; the first encrypts, all decrypt. To rotate: put a new key first, `rotate` every
stored value, then remove the old key.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from foundation.errors import Conflict

MASK = "••••••••"


class SecretUnreadable(Conflict):
    """A stored secret was encrypted with a key that this installation does not have."""

    code = "secret_unreadable"
    title = "A stored secret cannot be read"


class Secret:
    """
    A secret that stays out of sight: printed, logged or serialized it is a mask.

    It holds the encrypted form; `reveal()` is the only way to the text, and easy to search for.
    """

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    @classmethod
    def of(cls, text: str) -> "Secret":
        """Return the text as a secret."""
        return cls(_keys().encrypt(text.encode()).decode("ascii"))

    @property
    def token(self) -> str:
        """Return the encrypted form, for storage."""
        return self._token

    def reveal(self) -> str:
        """
        Return the text. Call it where the secret is used, and keep nothing.

        :raises SecretUnreadable: if no configured key decrypts it
        """
        try:
            return _keys().decrypt(self._token.encode("ascii")).decode()
        except InvalidToken as error:
            raise _unreadable() from error

    def rotated(self) -> "Secret":
        """
        Return the same secret under the first key.

        :raises SecretUnreadable: if no configured key decrypts it
        """
        try:
            return Secret(_keys().rotate(self._token.encode("ascii")).decode("ascii"))
        except InvalidToken as error:
            raise _unreadable() from error

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"<Secret {MASK}>"

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._token == other._token

    def __hash__(self) -> int:
        return hash(self._token)


def check_keys() -> None:
    """
    Refuse to start without usable keys.

    :raises ImproperlyConfigured: if there are none, or one is not a Fernet key
    """
    _keys()


def _keys() -> MultiFernet:
    return _keys_of(tuple(settings.SECRETS_KEYS), settings.SECRET_KEY if settings.EMBEDDED else "")


@lru_cache(maxsize=4)
def _keys_of(keys: tuple[str, ...], embedded_secret: str) -> MultiFernet:
    if not keys and not embedded_secret:
        raise ImproperlyConfigured(
            "SECRETS_KEYS is empty: stored secrets could not be encrypted. Set it to one or more Fernet keys, separated"
            " by commas, the one that encrypts first."
        )
    try:
        return MultiFernet([Fernet(key) for key in keys or (_derived(embedded_secret),)])
    except ValueError as error:
        raise ImproperlyConfigured(
            "SECRETS_KEYS holds something that is not a Fernet key (32 bytes, base64)."
        ) from error


def _derived(secret: str) -> str:
    material = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tenure/secrets").derive(secret.encode())
    return base64.urlsafe_b64encode(material).decode("ascii")


def _unreadable() -> SecretUnreadable:
    return SecretUnreadable(
        "A stored secret cannot be decrypted with the configured keys. Add the key it was stored under to"
        " SECRETS_KEYS, or enter the secret again."
    )
