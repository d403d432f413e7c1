"""An inventory as a change request."""

import io
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from approvals.requests import application, review, services
from approvals.requests.models import ChangeRequest
from entitlements.directory.models import Person, PersonalDetails
from entitlements.grants.models import Entitlement, Seat
from entitlements.imports.drafts import Placement
from entitlements.imports.services import BadInventory, Filed, NothingToImport, file_inventory
from entitlements.imports.values import ImportOptions
from tests import given

pytestmark = pytest.mark.django_db
SAMPLES = resources.files("entitlements.imports") / "samples"
GOOD = (SAMPLES / "inventory.csv").read_bytes()
BAD = (SAMPLES / "inventory-with-errors.csv").read_bytes()
PLACEMENT = Placement(regions=("DE", "US"), time_zone="Europe/Berlin")


def filed(data: bytes = GOOD, **options: Any) -> Filed:
    """A filed inventory."""
    return file_inventory(
        data=data,
        name="inventory.csv",
        options=ImportOptions(currency="USD", **options),
        placement=PLACEMENT,
        author=given.user("requester"),
        now=given.NOW,
        rationale=given.RATIONALE,
    )


def apply(request: ChangeRequest) -> ChangeRequest:
    """Send to review by its author, approve by all who are asked (what an inventory lists began earlier), apply."""
    services.submit(change_request_id=request.id, author=request.created_by, now=given.NOW)
    digest = ChangeRequest.objects.get(id=request.id).current_revision.digest
    for reviewer in map(given.user, ("licensing", "licensing", "finance", "legal")):
        review.approve(change_request_id=request.id, digest=digest, reviewer=reviewer, now=given.NOW)
    return application.apply(change_request_id=request.id, user=given.user("it_operations"), now=given.NOW)


class TestFileInventory:
    def test_becomes_one_request_and_writes_nothing_to_the_registry(self) -> None:
        result = filed()

        assert result.change_request.source == "import"
        assert not Entitlement.objects.exists()
        assert not Person.objects.exists()

    def test_carries_its_people_and_their_seats(self) -> None:
        result = filed()

        apply(result.change_request)

        assert Entitlement.objects.count() == 14
        assert Seat.objects.held().count() == 38
        named = PersonalDetails.objects.filter(person_id__in=Person.objects.values("id"))
        assert named.count() == Person.objects.count() > 0

    def test_keeps_names_and_mails_out_of_the_request(self) -> None:
        result = filed()

        content = bytes(result.change_request.current_revision.content).decode()
        for details in result.drafted.details:
            assert details.mail not in content
            assert f'"{details.name}"' not in content

    def test_keeps_license_keys_out_of_the_request_and_says_so(self) -> None:
        result = filed()

        content = bytes(result.change_request.current_revision.content).decode()
        keys = [each.serial_number.value for each in result.inventory.licenses if each.serial_number]
        assert keys
        assert not [key for key in keys if key in content]
        assert any("license keys are secrets" in note for note in result.drafted.notes)

    def test_removes_staged_names_if_it_is_withdrawn(self) -> None:
        result = filed()
        assert PersonalDetails.objects.exists()

        services.withdraw(
            change_request_id=result.change_request.id, user=result.change_request.created_by, now=given.NOW
        )

        assert not PersonalDetails.objects.exists()

    def test_loses_no_cent_of_what_the_licenses_cost(self) -> None:
        result = filed()

        planned: dict[str, Decimal] = {}
        for row in result.change_request.current_revision.plan["cost"]["years"]:
            planned[row["currency"]] = planned.get(row["currency"], Decimal(0)) + Decimal(row["after"])
        paid: dict[str, Decimal] = {}
        for cost in (each.cost for each in result.inventory.licenses if each.cost):
            paid[cost.currency] = paid.get(cost.currency, Decimal(0)) + cost.amount
        assert planned == paid

    def test_files_nothing_of_a_file_with_problems(self) -> None:
        with pytest.raises(BadInventory) as refusal:
            filed(BAD)

        assert refusal.value.context["problems"]
        assert not ChangeRequest.objects.filter(system=False).exists()
        assert not PersonalDetails.objects.exists()

    def test_files_the_good_rows_alone_if_the_user_says_so(self) -> None:
        result = filed(BAD, good_rows_only=True)

        assert len(result.inventory.licenses) == 3
        assert result.inventory.left_out_lines

    def test_does_not_import_the_same_license_twice(self) -> None:
        apply(filed().change_request)

        with pytest.raises(NothingToImport):
            filed()

    def test_knows_people_of_an_earlier_import_by_their_mail(self) -> None:
        apply(filed().change_request)
        people = Person.objects.count()
        again = GOOD.replace(b"2027", b"2028")

        result = filed(again)

        assert [draft for draft in result.drafted.drafts if draft.kind == "entitlement.grant"]
        assert len(result.drafted.details) < people


class TestImportCommand:
    def test_reports_every_column_and_every_problem_and_files_nothing(self, tmp_path: Path) -> None:
        given.user("requester", username="rosa")
        path = tmp_path / "inventory.csv"
        path.write_bytes(BAD)
        out, err = io.StringIO(), io.StringIO()

        with pytest.raises(SystemExit) as leaving:
            call_command("import", str(path), "--as", "rosa", "--regions", "DE,US", stdout=out, stderr=err)

        assert leaving.value.code == 2
        assert "holder email" in out.getvalue()
        assert "Line " in out.getvalue()
        assert "nothing was filed" in err.getvalue()

    def test_files_a_good_file_and_says_where_it_is(self, tmp_path: Path) -> None:
        given.user("requester", username="rosa")
        path = tmp_path / "inventory.csv"
        path.write_bytes(GOOD)
        out = io.StringIO()

        call_command("import", str(path), "--as", "rosa", "--regions", "EU,US", "--currency", "USD", stdout=out)

        request = ChangeRequest.objects.get(system=False)
        assert f"/changes/{request.number}/" in out.getvalue()

    def test_files_nothing_in_a_dry_run(self, tmp_path: Path) -> None:
        given.user("requester", username="rosa")
        path = tmp_path / "inventory.csv"
        path.write_bytes(GOOD)

        with pytest.raises(SystemExit) as leaving:
            call_command(
                "import",
                str(path),
                "--as",
                "rosa",
                "--regions",
                "DE",
                "--currency",
                "USD",
                "--dry-run",
                stdout=io.StringIO(),
            )

        assert leaving.value.code == 0
        assert not ChangeRequest.objects.filter(system=False).exists()

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--term-months", "12", "--perpetual"],
            ["--map", "Item name=nonsense"],
            ["--currency", "euro"],
        ],
    )
    def test_refuses_options_that_make_no_sense(self, arguments: list[str], tmp_path: Path) -> None:
        given.user("requester", username="rosa")
        path = tmp_path / "inventory.csv"
        path.write_bytes(GOOD)

        with pytest.raises(CommandError):
            call_command("import", str(path), "--as", "rosa", "--regions", "DE", *arguments)
