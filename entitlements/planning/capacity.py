"""Registry rows as the coverage engine's values: entitlements as pools, held seats as needs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from approvals.records.rows import instant, parse_instant
from entitlements.catalog.models import SUPPORT_RANKS
from entitlements.coverage.values import Cohort, Metric, Need, Pool, Source
from entitlements.planning.registry import Registry, Row

FIRST = datetime.min.replace(tzinfo=UTC)


def pools(registry: Registry) -> list[Pool]:
    """Every entitlement that gives a right, as capacity; those taken back before they started give none."""
    return [_pool(registry, row) for row in registry.entitlements.values() if row["withdrawn_at"] is None]


def needs(registry: Registry, *, starts_at: datetime, also: Registry | None = None) -> list[Need]:
    """
    What the holders of seats need from `starts_at` on: what their entitlement gives them today.

    A holder of an entitlement that starts later needs it from then on. With `also` (the registry before a change) the
    needs of those who held a seat then stand too, so that nobody drops out by losing the seat; and who gets a first
    seat by the change needs it as long as it lasts, no longer: recording a right that ends takes nothing away from
    anybody. Who holds seats of several entitlements of a product needs what the earliest of them gives: a successor
    takes over, it does not add.
    """
    first: dict[tuple[str, str], tuple[datetime, Row, Registry]] = {}
    lasts: dict[tuple[str, str], datetime | None] = {}
    for source in (also, registry):
        if source is None:
            continue
        for row in sorted(source.entitlements.values(), key=lambda row: (row["starts_at"], row["id"])):
            if row["withdrawn_at"] is not None or _ended(row, starts_at):
                continue
            begins = max(parse_instant(row["starts_at"]), starts_at)
            for person in source.holders.get(row["id"], ()):
                key = (person, source.product_of(row))
                if key not in first or begins < first[key][0]:
                    first[key] = (begins, row, source)
                ends_at = None if also is None or source is also else end_for_coverage(source, row)
                known = lasts.get(key, FIRST)
                lasts[key] = None if ends_at is None or known is None else max(ends_at, known)
    return [
        replace(need, ends_at=lasts[person, product])
        for (person, product), (begins, row, source) in sorted(first.items(), key=lambda entry: entry[0])
        for need in _needs_of(person, product, begins, row, source, registry)
    ]


def enabled_features(registry: Registry, entitlement: Row) -> frozenset[str]:
    """Codes of the features that an entitlement gives: its SKU revision's, with its own overrides."""
    limits = dict(registry.revisions[entitlement["sku_revision_id"]]["features"]) | entitlement["feature_overrides"]
    return frozenset(code for code, limit in limits.items() if limit is not False and limit != 0)


def serves(registry: Registry, entitlement: Row) -> frozenset[str]:
    """The accounts that an entitlement serves: its own, and those below it where its agreement says so."""
    agreement = registry.agreements[registry.order_lines[entitlement["order_line_id"]]["agreement_id"]]
    own = str(entitlement["account_id"])
    if not agreement["covers_descendants"]:
        return frozenset({own})
    return frozenset({own} | {account for account, above in registry.above.items() if own in above})


def end_for_coverage(registry: Registry, entitlement: Row) -> datetime | None:
    """
    The end of the right of use, or None where it goes on by itself.

    An end that auto-renews is a renewal decision, not a gap, unless notice was served.
    """
    ends_at = instant(entitlement["ends_at"])
    agreement = registry.agreements[registry.order_lines[entitlement["order_line_id"]]["agreement_id"]]
    renews = agreement["renewal"] == "auto" and agreement["notice_served_on"] is None
    return None if renews and ends_at is not None and ends_at == instant(agreement["ends_at"]) else ends_at


def _ended(row: Row, at: datetime) -> bool:
    ends_at = instant(row["ends_at"])
    return ends_at is not None and ends_at <= at


def _pool(registry: Registry, row: Row) -> Pool:
    revision = registry.revisions[row["sku_revision_id"]]
    ends_at = end_for_coverage(registry, row)
    grace = row["grace_seconds"]
    replaces = row["replaces_id"]
    return Pool(
        id=UUID(row["id"]),
        product_id=UUID(registry.product_of(row)),
        account_ids=frozenset(UUID(account) for account in serves(registry, row)),
        starts_at=parse_instant(row["starts_at"]),
        ends_at=ends_at,
        grace_ends_at=ends_at + timedelta(seconds=grace) if ends_at is not None and grace else None,
        seats=row["seats"],
        metric=Metric(revision["metric"]),
        countries=frozenset(row["countries"]),
        features=enabled_features(registry, row),
        releases=None if revision["releases"] is None else frozenset(revision["releases"]),
        updates_ends_at=instant(row["updates_until"]),
        support=SUPPORT_RANKS[row["support_level"]],
        support_ends_at=instant(row["support_until"]),
        replaces=UUID(replaces) if replaces else None,
        activation=_activation(registry, row),
        holders=frozenset(UUID(person) for person in registry.holders.get(row["id"], ())),
    )


def _activation(registry: Registry, row: Row) -> tuple[Cohort, ...] | None:
    served = registry.activations.get(row["id"])
    if served is None:
        return None
    cohorts = []
    if served["countries"] is not None:
        cohorts.append(Cohort(countries=frozenset(served["countries"])))
    if served["accounts"] is not None:
        cohorts.append(Cohort(accounts=frozenset(UUID(key) for key in served["accounts"])))
    if served["people"] is not None:
        cohorts.append(Cohort(people=frozenset(UUID(key) for key in served["people"])))
    return tuple(cohorts)


def _needs_of(
    person: str, product: str, begins: datetime, row: Row, source: Registry, registry: Registry
) -> Iterator[Need]:
    known = registry.people.get(person) or source.people.get(person) or {}
    account = str(known.get("account_id") or row["account_id"])
    if account not in serves(source, row):
        account = str(row["account_id"])
    # The product itself, and each of its features: a place of its own in the timelines.
    for features in {frozenset[str](), enabled_features(source, row)}:
        for country in _countries(known.get("country", ""), account, row, source):
            yield Need(
                account_id=UUID(account),
                product_id=UUID(product),
                country=country,
                starts_at=begins,
                person=UUID(person),
                features=features,
                source=Source.HELD,
            )


def _countries(known: str, account: str, row: Row, source: Registry) -> list[str]:
    """Where a holder works: as known, else where the account sits if that is covered, else anywhere it may be used."""
    if known:
        return [known]
    seat_of = source.accounts.get(account, {}).get("country", "")
    return [seat_of] if seat_of in row["countries"] else sorted(row["countries"])
