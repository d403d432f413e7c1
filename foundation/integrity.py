"""
Refusals of the database as domain errors.

A constraint or trigger says what must never be false; a service's `refine_integrity_error` or a registered constraint
says it in a sentence. Deadlocks and serialization failures are left as they are: they refuse nothing, the work is
tried again.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from django.db import DatabaseError

from foundation.errors import Conflict, ConstraintViolated, DomainError, InvalidInput

# Raised by the trigger that guards governed tables (INV-1): no standard class fits, and none must be mistaken for it.
GOVERNED_SQLSTATE = "TN001"
# Integrity constraint violation, and what triggers of this project raise (23514).
INTEGRITY_CLASS = "23"
# Data exception: a value that no column of that type can hold.
DATA_CLASS = "22"
# Serialization failure, deadlock, lock not available: the work was undone because of other work at the same moment.
CONTENTION_STATES = frozenset({"40001", "40P01", "55P03"})


class Contention(Conflict):
    """Others were working on the same records at the same moment; nothing was done."""

    code = "contention"
    title = "Others are changing the same records"


@dataclass(frozen=True)
class Refinement:
    """How the violation of one constraint is told."""

    error_class: type[DomainError]
    message: str
    invariant: str = ""


_known: dict[str, Refinement] = {}

Rule = type[DomainError] | tuple[type[DomainError], str]


def register_constraint(name: str, error_class: type[DomainError], message: str, invariant: str = "") -> None:
    """
    Tell how the violation of a constraint, or a trigger's refusal under that name, is told everywhere.

    :raises ValueError: if the name is already registered otherwise
    """
    refinement = Refinement(error_class=error_class, message=message, invariant=invariant)
    if _known.setdefault(name, refinement) != refinement:
        raise ValueError(f"The constraint {name} is registered twice, with different sentences.")


def registered_constraints() -> dict[str, Refinement]:
    """Return every registered constraint by name."""
    return dict(_known)


@contextlib.contextmanager
def refine_integrity_error(**rules: Rule) -> Iterator[None]:
    """
    Turn violations of the named constraints into domain errors: `constraint=ErrorClass` or `constraint=(ErrorClass,
    sentence)`.

    Without a sentence the registered one is used, or else the error's title. Other errors pass unchanged.

    :raises DomainError: the named one, if one of the constraints is violated
    """
    try:
        yield
    except DatabaseError as error:
        name = constraint_of(error)
        if name is None or name not in rules:
            raise
        rule = rules[name]
        error_class, message = rule if isinstance(rule, tuple) else (rule, _sentence(name, rule))
        raise error_class(message, constraint=name) from error


@contextlib.contextmanager
def refine_known() -> Iterator[None]:
    """
    Turn every refusal of the database into a domain error, by the registered constraints.

    :raises DomainError: the registered one; `ConstraintViolated` for a constraint that nobody registered
    """
    try:
        yield
    except DatabaseError as error:
        refusal = refused_by_database(error)
        if refusal is None:
            raise
        raise refusal from error


def refused_by_database(error: DatabaseError) -> DomainError | None:
    """Return the domain error that tells of a refusal, or None if the error is not a refusal but a failure."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return None
    if _is_refusal(cause):
        return _refused(cause)
    sqlstate = cause.sqlstate or ""
    # psycopg refuses U+0000 itself, without a state.
    if sqlstate.startswith(DATA_CLASS) or (isinstance(cause, psycopg.DataError) and not sqlstate):
        return InvalidInput(
            "A value is out of the range that can be stored. Send a smaller one, or one of the right kind."
        )
    return None


def contended(error: DatabaseError) -> Contention | None:
    """
    Return the answer to someone whose work was undone because of other work at the same moment, or None.

    For the outermost layer only: within a service such an error passes unchanged, because trying again is the remedy.
    """
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or cause.sqlstate not in CONTENTION_STATES:
        return None
    return Contention("Others are changing the same records at this moment, so nothing was done. Send it again.")


def constraint_of(error: DatabaseError) -> str | None:
    """Return the name of the violated constraint, or None if the database named none."""
    cause = error.__cause__
    return _name_in(cause) if isinstance(cause, psycopg.Error) and _is_refusal(cause) else None


def _is_refusal(cause: psycopg.Error) -> bool:
    sqlstate = cause.sqlstate or ""
    return sqlstate == GOVERNED_SQLSTATE or sqlstate.startswith(INTEGRITY_CLASS)


def _name_in(cause: psycopg.Error) -> str:
    diag = cause.diag
    # A missing value violates no named constraint: its column stands for it.
    return diag.constraint_name or (f"{diag.table_name}.{diag.column_name}" if diag.column_name else "")


def _refused(cause: psycopg.Error) -> DomainError:
    name = _name_in(cause)
    known = _known.get(name)
    if known:
        extra = {"invariant": known.invariant} if known.invariant else {}
        return known.error_class(known.message, constraint=name, **extra)
    if cause.sqlstate == GOVERNED_SQLSTATE:
        sentence = (
            cause.diag.message_primary or "This record changes only through an approved change request. Propose one."
        )
        return ConstraintViolated(sentence, constraint=name or "governed", invariant="INV-1")
    return ConstraintViolated(
        f"The database refuses this write: it would violate {name or 'a constraint'}. Correct the values.",
        constraint=name,
    )


def _sentence(name: str, error_class: type[DomainError]) -> str:
    known = _known.get(name)
    return known.message if known else f"{error_class.title}."
