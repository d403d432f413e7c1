"""
The agreements that a plan stands under: parties, term and notice, clauses beside our reading of them, consents and
screenings, as the items would leave them; and what the SKU revisions say of hosting, export and obligations.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from approvals.governed import PreparedItem
from approvals.records.rows import instant
from entitlements.agreements.costs import add_months
from entitlements.directory.models import Deployment
from entitlements.grants.models import Entitlement
from entitlements.planning.money import concerned_agreements
from entitlements.planning.registry import Registry, Row, rows_of

JSON = Any

PARTIES = ("side", "licensor", "licensee_id", "purchaser", "reseller", "covered_accounts", "covers_descendants",
           "assignability", "owner_id")  # fmt: skip
TERM = ("starts_at", "ends_at", "renewal", "renewal_months", "notice_days", "notice_served_on", "price_cap_percent",
        "currency", "termination_terms", "true_up_terms")  # fmt: skip


def section(
    *, items: Sequence[PreparedItem], before: Registry, after: Registry, now: datetime
) -> list[dict[str, JSON]]:
    """The plan document's `agreements`: each agreement concerned, as the items would leave it."""
    keys = concerned_agreements(items, after)
    rows = [after.agreements[key] for key in sorted(keys) if key in after.agreements]
    return [_agreement(row, before.agreements.get(str(row["id"])), now) for row in rows]


def _agreement(row: Row, former: Row | None, now: datetime) -> dict[str, JSON]:
    changed = [name for name in (*PARTIES, *TERM) if former is not None and former[name] != row[name]]
    return {
        "agreement": row["id"],
        "reference": row["reference"],
        "title": row["title"],
        "new": former is None,
        "changed": changed,
        **{name: row[name] for name in (*PARTIES, *TERM)},
        "notice": notice(row, now),
        "documents": row["documents"],
        "clauses": _clauses(row["clauses"], former["clauses"] if former is not None else []),
        "consents": row["consents"],
        "needs_written_consent": bool(row["bridge_days_total"] and row["bridge_needs_written_consent"]),
        "screenings": row["screenings"],
    }


def notice(row: Row, now: datetime) -> dict[str, JSON]:
    """
    The last day on which notice still ends an agreement, and what follows without it: when it would renew, and to when.

    `deadline_on` is null where the agreement has no fixed end. Days are UTC.
    """
    ends_at = instant(row["ends_at"])
    if ends_at is None:
        return {"deadline_on": None, "passed": False, "renews_to": None}
    deadline = (ends_at - timedelta(days=row["notice_days"])).date()
    renews = row["renewal"] == "auto" and row["renewal_months"] and not row["notice_served_on"]
    return {
        "deadline_on": deadline,
        "passed": now.astimezone(UTC).date() > deadline,
        "renews_to": add_months(ends_at, row["renewal_months"]) if renews else None,
    }


def _clauses(clauses: Sequence[Row], former: Sequence[Row]) -> list[dict[str, JSON]]:
    """Each clause with what became of it; those that are gone come last, as they were."""
    known: dict[str, list[Row]] = {}
    for clause in former:
        known.setdefault(clause["number"], []).append(clause)
    rows = []
    for clause in clauses:
        left = known.get(clause["number"], [])
        was = left.pop(0) if left else None
        state = "new" if was is None else "kept" if was == clause else "changed"
        rows.append(dict(clause) | {"state": state, "was": was if state == "changed" else None})
    return rows + [dict(clause) | {"state": "removed", "was": None} for left in known.values() for clause in left]


def hosting(*, items: Sequence[PreparedItem], after: Registry) -> list[dict[str, JSON]]:
    """The plan document's `hosting`: per entitlement changed, where it is used and hosted, what is to be observed."""
    found = []
    touched = [after.entitlements[str(item.record_id)] for item in items if _is_entitlement(item)]
    deployments = _deployments({str(row["account_id"]) for row in touched})
    for row in touched:
        revision = after.revisions[str(row["sku_revision_id"])]
        product = after.product_of(row)
        found.append(
            {
                "entitlement": row["id"],
                "reference": row["reference"],
                "account": row["account_id"],
                "product": product,
                "countries": row["countries"],
                "hosting_countries": revision["hosting_countries"],
                "environments": row["environments"],
                "export_class": revision["export_class"],
                "compliance_obligations": revision["compliance_obligations"],
                "support_level": row["support_level"],
                "deployments": deployments.get((str(row["account_id"]), product), []),
            }
        )
    return found


def _is_entitlement(item: PreparedItem) -> bool:
    return item.table == Entitlement._meta.db_table and item.after is not None


def _deployments(accounts: Iterable[str]) -> dict[tuple[str, str], list[dict[str, JSON]]]:
    """Deployments by account and product."""
    standing = Deployment.objects.filter(account_id__in=set(accounts), retired_at=None).order_by("name", "id")
    found: dict[tuple[str, str], list[dict[str, JSON]]] = {}
    for row in rows_of(Deployment, standing).values():
        told = {name: row[name] for name in ("name", "environment", "hosting_country")}
        found.setdefault((str(row["account_id"]), str(row["product_id"])), []).append(told)
    return found
