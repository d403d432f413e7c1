"""What an application must have rested on, read from the tables and recomputed without the code that wrote them."""

import hashlib
import json

from approvals.requests.models import Authorization, ChangeRequest, Decision
from audit.models import Event
from entitlements.grants.models import Entitlement
from tests.lifecycle.oracle import Model, Request


def check_applied(*, model: Model, asked: Request, stored: ChangeRequest, entitlement: Entitlement) -> None:
    """
    Compare one application with the oracle: digest, base, stages, their order, quorum and eligibility.

    Called after the application and before the model has it, so that the oracle answers for the instant before.
    """
    revision, expected = stored.current_revision, asked.current
    assert revision is not None
    document = revision.document
    # Digest: of the stored bytes, of the document written again, of every decision and of the authorization.
    again = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    digest = hashlib.sha256(again).hexdigest()
    assert digest == revision.digest == hashlib.sha256(bytes(revision.content)).hexdigest()
    authorization = Authorization.objects.get(change_request=stored)
    assert (authorization.digest, authorization.revision_id, authorization.basis) == (digest, revision.id, "quorum")
    assert revision.number == expected.number
    # Base: the version before, and one more after.
    item = revision.items.get()
    before = model.records[expected.record]
    assert item.base_version == expected.base == before.version
    row = Entitlement.objects.get(pk=entitlement.pk)
    assert (row.version, row.seats) == (before.version + 1, expected.seats)
    history = row.history.filter(change_request_number=stored.number)
    assert [one.version for one in history] == [row.version]
    # Stages and quorum: what the policies asked when the revision was written, under its digest.
    chain = tuple((stage["role"], stage["quorum"]) for stage in document["policy"])
    assert chain == expected.chain
    # Order and eligibility: every decision was for the stage that was open, and enough of them count now.
    decisions = Decision.objects.filter(revision=revision, verdict="approve").select_related("stage", "decider")
    told = {(one.decider.username, one.stage.position - 1, authority_of(one)) for one in decisions}
    assert told == {(said.login, said.stage, model.authority(said).name) for said in expected.approvals}
    assert {decision.digest for decision in decisions} == {digest}
    stages = [said.stage for said in expected.approvals]
    assert stages == sorted(stages)
    for position, (_role, quorum) in enumerate(expected.chain):
        assert model.counting(asked, position) >= quorum
    cited = {str(decision.id) for decision in decisions}
    assert set(authorization.decisions) <= cited
    applied = Event.objects.filter(change_request_id=stored.id, type="approvals.change_request.applied")
    assert [event.data["digest"] for event in applied] == [digest]


def check_acted_back(*, model: Model, asked: Request, stored: ChangeRequest, entitlement: Entitlement) -> None:
    """
    Compare what acting back wrote with the oracle: a change of its own, by the authority of the first one's approval.

    Called before the model has it.
    """
    inverse = ChangeRequest.objects.get(reverts=stored, status="applied")
    authorization = Authorization.objects.get(change_request=inverse)
    assert (authorization.basis, authorization.cites) == ("rollback", Authorization.objects.get(change_request=stored))
    before = model.records[asked.current.record]
    row = Entitlement.objects.get(pk=entitlement.pk)
    assert (row.version, row.seats) == (before.version + 1, before.seats - asked.current.facts["seats_change"])
    assert [one.version for one in row.history.filter(change_request_number=inverse.number)] == [row.version]


def authority_of(decision: Decision) -> str:
    """The login by whose authority a decision was made."""
    return decision.on_behalf_of.delegator.username if decision.on_behalf_of else decision.decider.username
