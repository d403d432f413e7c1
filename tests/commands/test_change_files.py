"""`manage.py plan` and `manage.py propose`."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from approvals.requests.models import ChangeRequest
from approvals.requests.states import Status
from entitlements.grants.models import Entitlement
from foundation import clock
from tests import given

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as leaving:
        return int(leaving.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def trial() -> Entitlement:
    """A trial with three holders that ends in 21 days by the wall clock, which the commands read."""
    now = clock.now()
    line = given.ordered()
    holders = [str(person.id) for person in given.people(3, of=line.agreement.licensee)]
    return given.entitlement(
        line, phase="trial", seats=3, holders=holders, ends_at=(now + timedelta(days=21)).isoformat()
    )


def change(trial: Entitlement, *, days: int, **content: Any) -> dict[str, Any]:
    """A change file that grants a successor so many days after the trial's end."""
    line = trial.order_line
    starts_at = (trial.ends_at + timedelta(days=days)).isoformat()
    return {
        "title": "To production",
        "justification": "The pilot succeeded.",
        "impact": "Three people keep their access.",
        "acceptance_criteria": ["They can sign in."],
        "rollback": "Withdraw it.",
        "changes": [
            {
                "kind": "orderline.create",
                "payload": {
                    "reference": "OL-FILE",
                    "agreement": line.agreement.reference,
                    "sku_revision": str(line.sku_revision),
                    "starts_at": starts_at,
                    "periods": [{"starts_at": starts_at, "quantity": 5, "unit_price": "10"}],
                    "currency": "EUR",
                },
            },
            {
                "kind": "entitlement.grant",
                "payload": {
                    "reference": "ENT-FILE",
                    "account": trial.account.code,
                    "order_line": "OL-FILE",
                    "phase": "production",
                    "seats": 5,
                    "regions": ["DE", "US"],
                    "starts_at": starts_at,
                    "replaces": trial.reference,
                },
            },
        ],
    } | content


def written(path: Path, content: Any) -> str:
    """The file's path."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


class TestPlan:
    def test_prints_the_plan_and_exits_with_0_if_nobody_loses_access(self, trial: Entitlement, tmp_path: Path) -> None:
        code, out, _ = run("plan", written(tmp_path / "c.json", change(trial, days=-1)))

        assert code == 0
        assert "1 granted, 0 amended, 0 retired, 1 other record changed; nobody loses access." in out
        assert ChangeRequest.objects.filter(system=False).count() == 0

    def test_exits_with_3_if_the_plan_opens_a_gap(self, trial: Entitlement, tmp_path: Path) -> None:
        code, out, _ = run("plan", written(tmp_path / "c.json", change(trial, days=2)))

        assert code == 3
        assert "3 people lose access" in out
        assert "Person 1" in out

    def test_exits_with_4_if_a_rule_does_not_hold(self, trial: Entitlement, tmp_path: Path) -> None:
        content = change(trial, days=-1)
        content["changes"][1]["payload"]["seats"] = 6

        code, out, _ = run("plan", written(tmp_path / "c.json", content))

        assert code == 4
        assert "6 seats" in out

    def test_prints_json(self, trial: Entitlement, tmp_path: Path) -> None:
        _, out, _ = run("plan", written(tmp_path / "c.json", change(trial, days=-1)), "--json")

        assert json.loads(out)["counts"]["granted"] == 1

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            ({"title": "x"}, "changes"),
            ({"title": "x", "changes": [{"kind": "entitlement.explode"}]}, "There is no kind of change"),
            ({"title": "x", "changes": [{"kind": "product.create", "payload": {"code": "a b", "name": "x"}}]}, "code"),
            (
                {"title": "x", "changes": [{"kind": "account.amend", "target": "nobody", "payload": {}}]},
                "There is no account “nobody”",
            ),
            ({"title": "x", "changes": [], "surprise": 1}, "surprise"),
        ],
    )
    def test_exits_with_2_and_says_what_is_wrong(self, content: Any, told: str, tmp_path: Path) -> None:
        code, _, err = run("plan", written(tmp_path / "c.json", content))

        assert code == 2
        assert told in err

    @pytest.mark.parametrize("content", ["{", '{"title": "\\ud800"}', "[" * 100_000])
    def test_exits_with_2_if_the_file_is_no_json(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "c.json"
        path.write_text(content, encoding="utf-8")

        assert run("plan", str(path))[0] == 2

    def test_exits_with_2_if_there_is_no_such_file(self, tmp_path: Path) -> None:
        code, _, err = run("plan", str(tmp_path / "missing.json"))

        assert code == 2
        assert "cannot be read" in err

    def test_reads_toml(self, tmp_path: Path) -> None:
        path = tmp_path / "c.toml"
        path.write_text(
            'title = "A product"\n[[changes]]\nkind = "product.create"\n[changes.payload]\ncode = "p"\nname = "P"\n',
            encoding="utf-8",
        )

        code, out, _ = run("plan", str(path))

        assert code == 0
        assert "1 other record changed" in out

    def test_refuses_what_is_not_granted_to_the_user_it_plans_as(self, trial: Entitlement, tmp_path: Path) -> None:
        given.user("requester", username="nowhere", everywhere=False)

        code, _, err = run("plan", written(tmp_path / "c.json", change(trial, days=-1)), "--as", "nowhere")

        assert code == 2
        assert "not granted to you" in err


class TestPropose:
    def test_files_a_draft(self, trial: Entitlement, tmp_path: Path) -> None:
        given.user("requester", username="rosa")

        code, out, _ = run("propose", written(tmp_path / "c.json", change(trial, days=2)), "--as", "rosa")

        request = ChangeRequest.objects.get(system=False)
        assert code == 0
        assert request.status == Status.DRAFT
        assert f"/changes/{request.number}/" in out

    def test_sends_it_to_review_if_told_to(self, trial: Entitlement, tmp_path: Path) -> None:
        given.user("requester", username="rosa")

        code, _, _ = run("propose", written(tmp_path / "c.json", change(trial, days=-2)), "--as", "rosa", "--submit")

        assert code == 0
        assert ChangeRequest.objects.get(system=False).status == Status.IN_REVIEW

    def test_files_nothing_if_it_cannot_go_to_review(self, trial: Entitlement, tmp_path: Path) -> None:
        given.user("requester", username="rosa")

        code, _, err = run("propose", written(tmp_path / "c.json", change(trial, days=2)), "--as", "rosa", "--submit")

        assert code == 3
        assert "waiver" in err
        assert not ChangeRequest.objects.filter(system=False).exists()

    def test_goes_to_review_with_a_gap_that_a_waiver_declares(self, trial: Entitlement, tmp_path: Path) -> None:
        given.user("requester", username="rosa")
        content = change(trial, days=2, waiver={"reason": "Nobody works then.", "risk_owner": "Head of design"})

        code, out, _ = run("propose", written(tmp_path / "c.json", content), "--as", "rosa", "--submit")

        assert code == 0
        assert "Needs 1 × legal" in out

    def test_refuses_an_auditor(self, trial: Entitlement, tmp_path: Path) -> None:
        given.user("auditor", username="aud")

        code, _, err = run("propose", written(tmp_path / "c.json", change(trial, days=-2)), "--as", "aud")

        assert code == 2
        assert "may not propose" in err
