"""What awaits verification, until when, and what has been seen of it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.states import Action, Status
from approvals.verification.errors import EvidenceRequired, NotVerifiable
from approvals.verification.models import GREATEST_LENGTH, LONGEST_LINK, CriterionTick
from foundation.errors import InvalidInput

# What is verified of a change that was applied without criteria of its own, such as by an emergency permit.
IMPLIED = "The change does what it says."
# After the time for verification is over: at once, two days later, seven days later.
LADDER: tuple[timedelta, ...] = (timedelta(0), timedelta(days=2), timedelta(days=7))


@dataclass(frozen=True)
class Criterion:
    """One acceptance criterion with all that was seen of it, the latest last."""

    number: int
    text: str
    ticks: Sequence[CriterionTick]

    @property
    def latest(self) -> CriterionTick | None:
        """What counts."""
        return self.ticks[-1] if self.ticks else None

    @property
    def state(self) -> str:
        """`open`, `met` or `unmet`."""
        return "open" if self.latest is None else "met" if self.latest.met else "unmet"


def criteria_of(revision: Revision) -> tuple[str, ...]:
    """The acceptance criteria of a revision; there is always one."""
    return tuple(revision.rationale["acceptance_criteria"]) or (IMPLIED,)


def criteria(*, change_request: ChangeRequest, revision: Revision) -> tuple[Criterion, ...]:
    """Each criterion of the applied revision with its ticks, in one query."""
    ticks: dict[int, list[CriterionTick]] = {}
    found = (
        CriterionTick.objects.filter(change_request=change_request)
        .select_related("checked_by", "file__blob")
        .defer("file__blob__content")
    )
    for tick in found.order_by("number"):
        ticks.setdefault(tick.criterion, []).append(tick)
    return tuple(
        Criterion(number, text, ticks.get(number, ())) for number, text in enumerate(criteria_of(revision), start=1)
    )


def awaits_verification(change_request: ChangeRequest) -> bool:
    """Whether somebody has to see that it worked."""
    return change_request.status == Status.APPLIED and not change_request.system


def check_awaits(*, change_request: ChangeRequest) -> None:
    """
    Refuse to verify what is not applied, or is closed.

    :raises NotVerifiable: if it is
    """
    if not awaits_verification(change_request):
        status = Status(change_request.status)
        raise NotVerifiable(
            f"Change {change_request.number} is {status.label.lower()}: only an applied change that is not closed is "
            "verified.",
            status=status.value,
            action=Action.VERIFY.value,
        )


def check_criterion(*, revision: Revision, number: int) -> None:
    """
    Refuse a criterion that the revision does not have.

    :raises InvalidInput: if there is none of that number
    """
    count = len(criteria_of(revision))
    if not 1 <= number <= count:
        raise InvalidInput(
            f"There is no criterion {number}: the change has {count}, counted from 1.",
            errors=[{"field": "criterion", "message": f"Choose a number from 1 to {count}."}],
        )


def checked_evidence(*, met: bool, result: str, link: str, has_file: bool = False) -> tuple[str, str]:
    """
    The evidence as it is kept besides a file: what was seen, and a link.

    :raises EvidenceRequired: if there is none of the three, or no reason for what is not met
    :raises InvalidInput: if the text is too long, holds control characters, or the link is none
    """
    said, address = result.replace("\r\n", "\n").replace("\r", "\n").strip(), link.strip()
    if not _says_something(said) and not (met and (address or has_file)):
        raise EvidenceRequired(
            "Say what you checked and saw, or give a link or a file: a tick without evidence is only a claim."
            if met
            else "Say why it is not met: the people who have to mend it need to know.",
            errors=[{"field": "result", "message": "Say what you checked and saw."}],
        )
    if len(said) > GREATEST_LENGTH:
        raise InvalidInput(f"The text has {len(said):,} characters; {GREATEST_LENGTH:,} is the most. Shorten it.")
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in said + address if one not in "\n\t"):
        raise InvalidInput("The evidence holds a control character or half a character. Remove what you pasted last.")
    if address and not _is_link(address):
        raise InvalidInput(
            "The link is none that a browser could open. Write it whole, beginning with https://.",
            errors=[{"field": "link", "message": "Write a whole address, beginning with https://."}],
        )
    return said, address


def due_at(change_request: ChangeRequest, *, days: int) -> datetime | None:
    """Until when a change that awaits verification has to be verified; None if it does not."""
    if change_request.applied_at is None or not awaits_verification(change_request):
        return None
    return change_request.applied_at + timedelta(days=days)


def step_at(*, due: datetime, now: datetime) -> int:
    """How many steps of the ladder have come by now, from 0."""
    return sum(due + wait <= now for wait in LADDER)


def _says_something(text: str) -> bool:
    return any(unicodedata.category(one)[0] not in "CZ" for one in text)


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    return whole and len(text) <= LONGEST_LINK and not any(one.isspace() for one in text)
