"""
Typed readers of the environment: each answers a value or stops the start with a sentence that says how to mend it.

A variable that is set but empty counts as not set.
"""

import os
import re
import secrets
from collections.abc import Iterable
from typing import Any, overload
from urllib.parse import unquote

import environ
from django.core.exceptions import ImproperlyConfigured

from foundation.embedded.layout import Layout, make_passable

SHORTEST_SECRET = 50
TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})
POSTGRES_SCHEMES = ("postgres://", "postgresql://")


def read_text(name: str, *, default: str | None = None) -> str:
    """
    Answer the variable's text.

    :raises ImproperlyConfigured: if it is not set and there is no default
    """
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise missing(name)
    return value


def read_boolean(name: str, *, default: bool) -> bool:
    """
    Answer whether the variable is on.

    :raises ImproperlyConfigured: if it is neither a word for yes nor one for no
    """
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is “{value}”, which is neither yes nor no. Set it to true or false.")
    return value in TRUE


def read_integer(name: str, *, default: int, minimum: int | None = None, maximum: int | None = None) -> int:
    """
    Answer the variable's whole number.

    :raises ImproperlyConfigured: if it is no whole number or not between minimum and maximum
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise ImproperlyConfigured(
            f"{name} is “{text}”, which is not a whole number. Set it to digits such as {default}."
        )
    value = int(text)
    if minimum is not None and value < minimum:
        raise ImproperlyConfigured(f"{name} is {value}, but must be at least {minimum}. Raise it.")
    if maximum is not None and value > maximum:
        raise ImproperlyConfigured(f"{name} is {value}, but must be at most {maximum}. Lower it.")
    return value


def read_choice(name: str, *, choices: Iterable[str], default: str | None = None) -> str:
    """
    Answer the variable, one of `choices`.

    :raises ImproperlyConfigured: if it is another word, or not set and there is no default
    """
    value = read_text(name, default=default)
    if value not in (allowed := list(choices)):
        raise ImproperlyConfigured(f"{name} is “{value}”, which is not known. Set it to one of: {', '.join(allowed)}.")
    return value


def read_list(name: str, *, default: list[str] | None = None) -> list[str]:
    """
    Answer the variable's parts between commas, without blanks around them and without empty ones.

    :raises ImproperlyConfigured: if it is not set and there is no default
    """
    text = os.environ.get(name, "").strip()
    if not text and default is not None:
        return list(default)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise missing(name)
    return parts


def read_secret(name: str, *, generated_by: Layout | None = None) -> str:
    """
    Answer a secret of at least 50 characters.

    In the embedded profile a missing one is made on the first start and kept in the layout's own file.

    :raises ImproperlyConfigured: if it is not set, or short enough to be guessed
    """
    value = os.environ.get(name, "")
    if not value and generated_by is not None:
        return generate_secret(generated_by)
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set, and there is no safe default. "
            "Set it to a random text of 50 characters or more, for example from: openssl rand -base64 48"
        )
    if len(value) < SHORTEST_SECRET or len(set(value)) < 5:
        raise ImproperlyConfigured(
            f"{name} is too easy to guess: it needs at least {SHORTEST_SECRET} random characters. "
            "Make one, for example with: openssl rand -base64 48"
        )
    return value


def generate_secret(layout: Layout) -> str:
    """Answer the secret kept in the layout's file, made with private permissions on the first call."""
    make_passable(layout.secret_key.parent)
    draft = layout.secret_key.with_name(f"{layout.secret_key.name}.{os.getpid()}")
    if not layout.secret_key.exists():
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            # Linking instead of renaming: of two processes that start together, the first one's secret stays.
            os.link(draft, layout.secret_key)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return layout.secret_key.read_text()


@overload
def read_database(name: str, *, role: str, embedded: Layout | None = None) -> dict[str, Any]: ...
@overload
def read_database(name: str, *, role: str, embedded: Layout | None, required: bool) -> dict[str, Any] | None: ...
def read_database(
    name: str, *, role: str, embedded: Layout | None = None, required: bool = True
) -> dict[str, Any] | None:
    """
    Answer Django's settings of the PostgreSQL database whose URL is in the variable.

    Without the variable the embedded profile answers its own server's, as `role`; otherwise None where it is not
    required.

    :raises ImproperlyConfigured: if it is required and not set, or is no URL of a PostgreSQL database with a role and
        a name
    """
    url = os.environ.get(name, "").strip()
    if not url:
        if embedded is not None:
            return arrange_database(NAME="tenure", USER=role, HOST=str(embedded.sockets), PORT="5432", PASSWORD="")
        if not required:
            return None
        raise ImproperlyConfigured(
            f"{name} is not set, and there is no safe default. "
            f"Set it to postgres://{role}:PASSWORD@HOST:5432/tenure, "
            "or set TENURE_PROFILE=embedded to try Tenure without a server."
        )
    if not url.startswith(POSTGRES_SCHEMES):
        raise ImproperlyConfigured(
            f"{name} is not the URL of a PostgreSQL database, and Tenure runs on no other. "
            f"Set it to postgres://{role}:PASSWORD@HOST:5432/tenure."
        )
    try:
        parsed = environ.Env.db_url_config(url)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} cannot be read: {error}. Set it to postgres://{role}:PASSWORD@HOST:5432/tenure."
        ) from error
    if not parsed.get("NAME") or not parsed.get("USER"):
        raise ImproperlyConfigured(
            f"{name} names no {'database' if not parsed.get('NAME') else 'role'}. "
            f"Set it to postgres://{role}:PASSWORD@HOST:5432/tenure."
        )
    # A host that is a directory of Unix sockets is written with %2F for its slashes.
    return arrange_database(**parsed | {"HOST": unquote(parsed["HOST"])})


def arrange_database(**parts: Any) -> dict[str, Any]:
    """Answer Django's settings of one database from the parts of its URL."""
    return parts | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "tenure"} | parts.get("OPTIONS", {}),
    }


def missing(name: str) -> ImproperlyConfigured:
    """Answer the refusal of a variable that is not set."""
    return ImproperlyConfigured(
        f"{name} is not set, and there is no safe default. Set it in the environment of the process; "
        "docs/operations.md lists every variable."
    )
