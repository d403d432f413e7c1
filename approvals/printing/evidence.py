"""What was seen of an applied change's acceptance criteria, as it is printed: each tick, with its evidence."""

from approvals.requests.models import ChangeRequest, Revision
from approvals.requests.states import DONE
from approvals.verification import rules
from approvals.verification.models import CriterionTick
from approvals.verification.rules import Criterion
from foundation.web.blocks import Fact, Facts, Section
from foundation.web.instants import instant_text

_STATES = {"open": "Not checked yet.", "met": "Met.", "unmet": "Not met."}


def verification(change_request: ChangeRequest, revision: Revision) -> list[Section]:
    """The section of verification; none of what is not applied, or has no criteria because the system wrote it."""
    if change_request.status not in DONE or change_request.system:
        return []
    facts = [
        Fact(f"{one.number}. {one.text}", _told(one))
        for one in rules.criteria(change_request=change_request, revision=revision)
    ]
    return [Section("verification", "After application", "The last of a criterion counts", [Facts(facts)])]


def _told(criterion: Criterion) -> str:
    return " ".join([_STATES[criterion.state], *(_tick(tick) for tick in criterion.ticks)])


def _tick(tick: CriterionTick) -> str:
    """What one person saw, with where it can be seen; a file with the digest by which its bytes are known."""
    told = [f"{'Met' if tick.met else 'Not met'}, says {tick.checked_by}, {instant_text(tick.checked_at)}:"]
    told += [text for text in (tick.result, tick.link) if text]
    if tick.file is not None:
        told.append(f"file {tick.file.number}, {tick.file.name}, SHA-256 {tick.file.blob_id}")
    return " ".join(told).rstrip(".") + "."
