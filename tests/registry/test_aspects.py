"""Every field of every kind belongs to an aspect, or is declared as belonging to none; and who owns which."""

from typing import Any

import pytest

from approvals.governed import Draft, kinds
from approvals.policies.eligibility import DECIDING_ROLES
from approvals.records.kinds import RecordKind
from approvals.requests.revisions import plan
from entitlements.catalog.aspects import Aspect
from entitlements.surfaces.first_data import OWNERS, POLICY_AMONG_OWNERS
from tests import given
from tests.approvals.world import World

REGISTRY = sorted(name for name, kind in kinds().items() if kind.model._meta.app_label == "entitlements")


def kind(name: str) -> RecordKind:
    found = kinds()[name]
    assert isinstance(found, RecordKind)
    return found


def touched(draft: Draft) -> list[str]:
    planned = plan(drafts=[draft], author=None, now=given.NOW, rationale=given.RATIONALE, waiver=None)
    aspects: list[str] = planned.items[0].facts["aspects_touched"]
    return aspects


class TestAspects:
    @pytest.mark.parametrize("name", REGISTRY)
    def test_name_every_field_and_nothing_else(self, name: str) -> None:
        fields = {field.attname for field in kind(name).model._meta.concrete_fields}

        assert set(kind(name).aspects) == fields - {"id", "version"}

    @pytest.mark.parametrize("name", REGISTRY)
    def test_are_known_aspects(self, name: str) -> None:
        assert {aspect for aspects in kind(name).aspects.values() for aspect in aspects} <= set(Aspect)


class TestOwners:
    def test_own_every_aspect(self) -> None:
        owned = {aspect for policy in OWNERS for row in policy["conditions"] for aspect in row["value"]}

        assert owned == set(Aspect)

    def test_are_those_who_were_named(self) -> None:
        owners: dict[str, set[str]] = {}
        for policy in OWNERS:
            for aspect in policy["conditions"][0]["value"]:
                owners.setdefault(str(aspect), set()).update(stage["role"] for stage in policy["stages"])

        assert owners == {
            "price": {"finance"},
            "term": {"finance"},
            "cost": {"finance"},
            "regions": {"legal"},
            "hosting": {"legal", "security"},
            "compliance": {"legal"},
            "clauses": {"legal"},
            "seats": {"product", "licensing"},
            "features": {"product", "licensing"},
            "support": {"support"},
            "identity": {"security"},
            "delivery": {"it_operations"},
        }

    def test_decide(self) -> None:
        assert {stage["role"] for policy in OWNERS for stage in policy["stages"]} <= DECIDING_ROLES

    def test_are_asked_in_one_place_each(self) -> None:
        places = {
            (stage["role"], stage["position"])
            for policy in (POLICY_AMONG_OWNERS, *OWNERS)
            for stage in policy["stages"]
        }

        assert len(places) == len({role for role, _place in places})


@pytest.mark.django_db
class TestAspectsTouched:
    @pytest.fixture
    def amended(self, world: World) -> Any:
        def facts(**payload: Any) -> list[str]:
            return touched(Draft("entitlement.amend", payload, world.trial.id))

        return facts

    def test_are_those_of_the_fields_that_change(self, amended: Any) -> None:
        assert amended(seats=7) == ["seats"]
        assert amended(regions=["DE"]) == ["regions"]
        assert amended(ends_at="2027-01-01T00:00:00Z", support_level="none") == ["support", "term"]
        assert amended(notes="Asked by the team.") == []

    def test_are_those_of_what_a_new_record_says(self, world: World) -> None:
        aspects = touched(Draft("account.create", {"code": "a", "name": "A"}))

        assert aspects == ["delivery"]
        assert {"seats", "regions", "term", "features"} <= set(touched(world.grant()))
        assert "compliance" not in touched(world.grant())

    def test_of_a_move_are_what_must_be_kept_to(self, world: World) -> None:
        revision = given.sku_revision(world.trial.sku)

        moved = touched(Draft("entitlement.move", {"sku_revision_id": str(revision.id)}, world.trial.id))

        assert moved == ["compliance", "features"]

    def test_are_those_of_people_and_seats(self, world: World) -> None:
        assert touched(Draft("entitlement.amend", {"release": [str(world.people[0].id)]}, world.trial.id)) == ["seats"]

    def test_of_a_policy_are_change_control_itself(self, world: World) -> None:
        draft = Draft("policy.create", {"name": "P", "stages": [{"position": 1, "role": "licensing", "quorum": 1}]})

        assert touched(draft) == ["control"]
