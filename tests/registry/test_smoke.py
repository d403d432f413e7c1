import pytest
from datetime import timedelta
from approvals.governed import Draft
from approvals.requests import services, review, application
from approvals.requests.models import ChangeRequest
from tests import given
pytestmark = pytest.mark.django_db

def test_whole_change():
    line = given.ordered()
    acc = line.agreement.licensee
    people = given.people(5, of=acc)
    trial = given.entitlement(line, phase="trial", seats=5, holders=[str(p.id) for p in people], ends_at=(given.NOW+timedelta(days=21)).isoformat())
    assert trial.pool.used == 5 if hasattr(trial, "pool") else True
    prod_line = given.order_line(line.agreement, line.sku_revision, 100)
    author, one, two = given.user("requester"), given.user("licensing"), given.user("licensing")
    draft = Draft("entitlement.grant", dict(reference="PROD-1", account_id=str(acc.id), order_line_id=str(prod_line.id), phase="production", seats=5, regions=["DE","US"], starts_at=(given.NOW+timedelta(days=25)).isoformat(), replaces_id=str(trial.id)))
    cr = services.propose(title="To production", drafts=[draft], author=author, now=given.NOW, rationale=given.RATIONALE)
    print(cr.current_revision.plan["summary"])
    with pytest.raises(Exception) as e:
        services.submit(change_request_id=cr.id, author=author, now=given.NOW)
    print(e.value)
    d2 = Draft("entitlement.grant", dict(draft.payload, starts_at=(given.NOW+timedelta(days=20)).isoformat()))
    services.amend(change_request_id=cr.id, author=author, now=given.NOW, drafts=[d2])
    cr.refresh_from_db(); 
    import json; print(json.dumps(cr.current_revision.plan, indent=1)[:6000])
    services.submit(change_request_id=cr.id, author=author, now=given.NOW)
    cr.refresh_from_db()
    for u in (one, two):
        review.approve(change_request_id=cr.id, digest=cr.current_revision.digest, reviewer=u, now=given.NOW)
    application.apply(change_request_id=cr.id, user=one, now=given.NOW)
    cr.refresh_from_db(); assert cr.status == "applied"
    assert 0
