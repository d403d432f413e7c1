"""
What can be refused, in words for the person who can act.

A domain error carries no HTTP: `foundation/api/problems.py` maps each class to a problem document, and a test fails on
one that has none.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """
    A refusal. Its message is a sentence: what was asked, why it is refused, what to do.

    `code` is stable and part of the API; `status` is the HTTP status of its problem document; `context` holds JSON
    values that a program needs (names of fields, ids), added to the document as extension members.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int] = 409

    def __init__(self, message: str, /, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context: Mapping[str, Any] = context


class InvalidInput(DomainError):
    """The input does not say what it must; `errors` in the context names each field."""

    code = "invalid_input"
    title = "The input is not valid"
    status = 400


class NotPermitted(DomainError):
    """Who asks may not do this."""

    code = "not_permitted"
    title = "Not permitted"
    status = 403


class NotFound(DomainError):
    """There is no such thing, or the reader may not see it."""

    code = "not_found"
    title = "Not found"
    status = 404


class Conflict(DomainError):
    """The state of the record does not allow this now."""

    code = "conflict"
    title = "Not possible in this state"
    status = 409


class ConstraintViolated(Conflict):
    """The database refused a write; the constraint and its invariant are named in the context."""

    code = "constraint_violated"
    title = "The registry's rules refuse this"
