"""
What an auditor asks first of a change, answered from what is in the pack: was it authorized, by others than its
authors, was exactly that applied, did somebody look afterwards? A no is said as loudly as a yes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from approvals.packing.stories import Story
from approvals.requests.authorizations import Authorization
from approvals.requests.models import Decision
from approvals.roles import words
from foundation.web.blocks import Point

GOOD, ATTENTION, BAD = "success", "warning", "danger"


def assessed(story: Story) -> Sequence[Point]:
    """The answers, in the order in which they are asked."""
    if story.current is None:
        return [Point("There is no revision of it in the ledger.", BAD)]
    return [*_authorized(story), *_apart(story), *_exact(story), *_verified(story)]


def _approvals(story: Story) -> list[dict[str, Any]]:
    return [one for one in story.document["decisions"] if not one["stale"] and one["verdict"] == "approve"]


def _authorized(story: Story) -> Iterator[Point]:
    authorization = story.authorization
    if authorization is None:
        yield Point("It was not applied: nothing was changed by it.")
        return
    if authorization.basis != Authorization.Basis.QUORUM:
        yield Point(f"It was applied by {authorization}, without decisions of its own.", ATTENTION)
        return
    document = next(one for one in story.document["revisions"] if one["number"] == story.current_number)
    missing = [
        words(stage["asked"])
        for stage in document["stages"]
        if sum(one["stage"] == stage["position"] for one in _approvals(story)) < stage["quorum"]
    ]
    stages = len(document["stages"])
    if missing:
        yield Point(f"Approvals are missing of {', '.join(missing)}.", BAD)
    else:
        yield Point(f"All {stages} stages that the policy asked for gave the approvals that they need.", GOOD)


def _apart(story: Story) -> Iterator[Point]:
    authors = {revision.author_human_id for revision in story.revisions if revision.author_human_id}
    given = Decision.objects.filter(revision__change_request=story.change_request, verdict=Decision.Verdict.APPROVE)
    deciders = {
        human for pair in given.values_list("decider_human_id", "delegator_human_id") for human in pair if human
    }
    if not deciders:
        return
    if authors & deciders:
        yield Point("Somebody who wrote a revision approved it.", BAD)
    else:
        yield Point("Nobody who approved it wrote a revision of it, under any login.", GOOD)
    applied_by = story.change_request.applied_by
    if story.authorization is not None and applied_by is not None and applied_by.human_id in deciders:
        yield Point(f"{applied_by}, who applied it, had approved it too.", ATTENTION)


def _exact(story: Story) -> Iterator[Point]:
    authorization, current = story.authorization, story.current
    if authorization is None or current is None:
        return
    digests = {authorization.digest, current.digest, *(one["digest"] for one in _approvals(story))}
    if len(digests) == 1:
        yield Point("What was applied has the digest that was decided on.", GOOD)
    else:
        yield Point("What was applied has another digest than what was decided on.", BAD)


def _verified(story: Story) -> Iterator[Point]:
    if story.authorization is None or story.current is None:
        return
    criteria = story.current.rationale.get("acceptance_criteria", [])
    latest = {one["criterion"]: one for one in story.document["verification"]}
    met = sum(latest[number]["met"] for number in latest)
    if not criteria:
        yield Point("It named no acceptance criteria, so nothing was to be verified.", ATTENTION)
    elif met == len(criteria):
        yield Point("Every acceptance criterion was seen met, by somebody else than author and applier.", GOOD)
    elif not latest:
        yield Point(f"Nobody has checked its acceptance criteria yet; it is {story.status}.", ATTENTION)
    else:
        unmet = len(latest) - met
        told = f"{met} of {len(criteria)} acceptance criteria were seen met"
        yield Point(
            f"{told}{f', {unmet} not met' if unmet else ''}; it is {story.status}.", BAD if unmet else ATTENTION
        )
