"""Standard changes below the services: what the database refuses, whoever writes."""

from typing import Any

import pytest

from approvals.requests.models import ChangeRequest
from approvals.standards.models import StandardTemplate
from foundation.errors import InvalidInput
from tests import given
from tests.approvals.test_guards import authorize, refused, set_status
from tests.approvals.test_standard_changes import submitted, template
from tests.approvals.world import World

pytestmark = pytest.mark.django_db


def standardized(request: ChangeRequest, of: StandardTemplate, **values: Any) -> list[Any]:
    row = {"basis": "standard", "template_id": of.id, "template_version": of.version}
    statement, bound = authorize(request, **(row | values))
    return [statement, *bound]


class TestStandardGuards:
    """INV-2 below the services."""

    def test_refuse_a_basis_that_cites_no_template(self, world: World) -> None:
        request = submitted(world, template())

        refused("authorization_template_in_force", *_row(authorize(request, basis="standard")))

    def test_refuse_a_template_on_another_basis(self, world: World) -> None:
        of = template()

        refused("authorization_cites_its_template", *standardized(world.approved(), of, basis="quorum"))

    def test_refuse_a_request_that_does_not_cite_it(self, world: World) -> None:
        told = refused("authorization_template_is_cited", *standardized(world.approved(), template()))

        assert told.startswith("INV-2")

    def test_refuse_a_version_that_is_not_in_force(self, world: World) -> None:
        of = template()
        request = submitted(world, of)
        given.record("standard_template.amend", target_id=of.id, description="Another.")

        refused("authorization_template_in_force", *standardized(request, of))
        refused("authorization_template_is_cited", *standardized(request, StandardTemplate.objects.get()))

    def test_refuse_a_retired_one_and_an_expired_one(self, world: World) -> None:
        of = template()
        request = submitted(world, of)
        refused("authorization_template_in_force", *standardized(request, of, created_at=of.expires_at))
        given.record("standard_template.retire", target_id=of.id)

        refused("authorization_template_in_force", *standardized(request, StandardTemplate.objects.get()))

    def test_refuse_a_kind_that_it_does_not_pre_approve(self, world: World) -> None:
        of = template()
        request = world.propose(world.grant(), template_id=of.id)
        set_status(request, "in_review", "approved")

        refused("authorization_standard_is_covered", *standardized(request, of))

    def test_refuse_a_second_template_of_a_name(self, world: World) -> None:
        template()

        with pytest.raises(InvalidInput, match="name"):
            template()


def _row(statement: tuple[str, list[Any]]) -> list[Any]:
    return [statement[0], *statement[1]]
