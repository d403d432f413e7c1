"""The registry data of the story, as drafts: a team's trial, and its production order."""

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from approvals.governed import Draft
from approvals.requests.revisions import Rationale
from entitlements.agreements.costs import add_months
from entitlements.directory.services import Details

ZONE = ZoneInfo("Europe/Berlin")
TRIAL_REFERENCE = "ATLAS-TRIAL-DESIGN"
PRODUCTION_REFERENCE = "ATLAS-PRODUCTION-DESIGN"
PRODUCT_CODE = "atlas"
TEAM_CODE = "meridian-product-design"
COUNTRIES = ("DE", "US")
PEOPLE = 180
DAYS_LEFT = 21

FIRST_NAMES = (
    "Amara Bela Chidi Dagny Emeka Farah Goran Hana Ilse Jovan Kaito Leila Marek Nadia Olga Pia Quinn Rana "
    "Sefa Timo Uma Vera Wim Xenia Yusuf Zora"
).split()
LAST_NAMES = (
    "Abel Brandt Castillo Dvorak Eriksen Fontaine Grau Hussain Ivanova Jansen Keller Lindqvist Moreau "
    "Nowak Okafor Petrov Quist Rossi Sato Tanaka Ulrich Vogel Weber Yilmaz Zimmer"
).split()


@dataclass(frozen=True)
class Trial:
    """The trial's ids and instants, its drafts, and the names to stage apart from them."""

    account_id: uuid.UUID
    agreement_id: uuid.UUID
    production_revision_id: uuid.UUID
    entitlement_id: uuid.UUID
    ends_at: datetime
    people: tuple[uuid.UUID, ...]
    countries: dict[uuid.UUID, str]
    drafts: tuple[Draft, ...]
    details: tuple[Details, ...]


def at_midnight(day: datetime, days: int) -> datetime:
    """Midnight in the team's zone, so many days after an instant's local day, as a UTC instant."""
    local = day.astimezone(ZONE).date() + timedelta(days=days)
    return datetime.combine(local, time.min, tzinfo=ZONE).astimezone(UTC)


def people_of_the_team(*, seed: int) -> tuple[list[dict[str, str]], list[Details]]:
    """180 people, half in Germany, half in the United States, by a seeded choice of invented names."""
    chosen = random.Random(seed)  # noqa: S311  invented names, no secret
    rows, details = [], []
    for number in range(PEOPLE):
        person_id = uuid.uuid4()
        first, last = chosen.choice(FIRST_NAMES), chosen.choice(LAST_NAMES)
        mail = f"{first}.{last}.{number + 1}@meridian.example".lower()
        country = COUNTRIES[number % 2]
        rows.append({"person_id": str(person_id), "human_id": str(uuid.uuid4()), "country": country})
        details.append(Details(person_id, f"{first} {last}", mail, {}))
    return rows, details


def trial(*, now: datetime, owner_id: uuid.UUID) -> Trial:
    """A product team's trial of Atlas: it began 69 days ago and ends in 21, at midnight in Berlin."""
    ids = {name: uuid.uuid4() for name in ("group", "team", "product", "agreement", "line", "entitlement")}
    skus = {purpose: (uuid.uuid4(), uuid.uuid4()) for purpose in ("trial", "production")}
    starts_at, ends_at = at_midnight(now, -69), at_midnight(now, DAYS_LEFT)
    people, details = people_of_the_team(seed=180)
    drafts = [
        _create("account", ids["group"], code="meridian", name="Meridian Optics", country="DE", time_zone=ZONE.key),
        _create(
            "account",
            ids["team"],
            code=TEAM_CODE,
            name="Meridian Optics, Product Design",
            type="business_unit",
            parent_id=ids["group"],
            country="DE",
            time_zone=ZONE.key,
        ),
        _create("product", ids["product"], code=PRODUCT_CODE, name="Atlas", licensor="Corvid Systems"),
        *(
            _create("feature", uuid.uuid4(), product_id=ids["product"], code=code, name=name, type=kind, unit=unit)
            for code, name, kind, unit in (
                ("models", "Shared models", "switch", ""),
                ("export", "Export to CAD", "switch", ""),
                ("renders", "Cloud renders", "quota", "renders a month"),
            )
        ),
        *_skus(ids["product"], skus),
        _create(
            "agreement",
            ids["agreement"],
            reference="AGR-CORVID-MERIDIAN",
            title="Master agreement Corvid Systems and Meridian Optics",
            side="licensee",
            licensor="Corvid Systems",
            licensee_id=ids["group"],
            covers_descendants=True,
            starts_at=starts_at,
            renewal="evergreen",
            notice_days=90,
            clauses=[
                {
                    "number": "7.2",
                    "title": "Trials",
                    "text": "A trial gives the right of use for 90 days in the countries named, not in production.",
                    "interpretation": "Production use needs an order before the trial ends.",
                    "interpreted_by": "Legal",
                }
            ],
            bridge_days_total=30,
            bridge_count_total=2,
            bridge_seats=200,
            bridge_countries=list(COUNTRIES),
            bridge_price="0",
            currency="EUR",
            budget="60000",
            owner_id=owner_id,
        ),
        _line(ids["line"], ids["agreement"], "OL-ATLAS-TRIAL", skus["trial"][1], PEOPLE, "0", starts_at, ends_at),
        _create(
            "entitlement",
            ids["entitlement"],
            verb="grant",
            reference=TRIAL_REFERENCE,
            account_id=ids["team"],
            order_line_id=ids["line"],
            phase="trial",
            seats=PEOPLE,
            regions=list(COUNTRIES),
            starts_at=starts_at,
            ends_at=ends_at,
            owner_id=owner_id,
            people=people,
            holders=[person["person_id"] for person in people],
        ),
    ]
    return Trial(
        account_id=ids["team"],
        agreement_id=ids["agreement"],
        production_revision_id=skus["production"][1],
        entitlement_id=ids["entitlement"],
        ends_at=ends_at,
        people=tuple(uuid.UUID(person["person_id"]) for person in people),
        countries={uuid.UUID(person["person_id"]): person["country"] for person in people},
        drafts=tuple(drafts),
        details=tuple(details),
    )


def production(*, of: Trial, line_id: uuid.UUID, grant_id: uuid.UUID, starts_at: datetime) -> tuple[Draft, ...]:
    """The production order for 200 and the entitlement under it, which takes over from the trial."""
    ends_at = add_months(starts_at.astimezone(ZONE), 24).astimezone(UTC)
    return (
        _line(
            line_id, of.agreement_id, "OL-ATLAS-PRODUCTION", of.production_revision_id, 200, "96", starts_at, ends_at
        ),
        _create(
            "entitlement",
            grant_id,
            verb="grant",
            reference=PRODUCTION_REFERENCE,
            account_id=of.account_id,
            order_line_id=line_id,
            phase="production",
            seats=200,
            regions=list(COUNTRIES),
            starts_at=starts_at,
            ends_at=ends_at,
            grace_seconds=7 * 86_400,
            replaces_id=of.entitlement_id,
        ),
    )


PRODUCTION_RATIONALE = Rationale(
    justification="The pilot of Atlas succeeded: 180 people in two countries use it every day.",
    impact="The 180 people of Product Design keep Atlas without interruption when their trial ends.",
    acceptance_criteria=(
        "Every one of the 180 people is allowed by the check one second after the trial ends.",
        "No seat of the trial is held by somebody without a production seat.",
    ),
    rollback="Withdraw the production entitlement before it starts; the trial stays as it is until then. "
    "The order can be canceled within 14 days.",
)
SETUP_RATIONALE = Rationale(
    justification="Recorded from the signed agreement and the order: the registry is the source of truth.",
    impact="Nobody's access changes: the rights exist already and are recorded.",
    acceptance_criteria=("The registry shows what the documents say.",),
    rollback="Retire the records by a further change.",
)


def _skus(product_id: uuid.UUID, skus: dict[str, tuple[uuid.UUID, uuid.UUID]]) -> list[Draft]:
    trial_sku, trial_revision = skus["trial"]
    production_sku, production_revision = skus["production"]
    features = {"models": True, "export": True, "renders": 500}
    return [
        _create("sku", trial_sku, product_id=product_id, code="ATLAS-TRIAL", name="Atlas, trial", purpose="trial"),
        _create(
            "sku",
            production_sku,
            product_id=product_id,
            code="ATLAS-TEAM",
            name="Atlas Team",
            edition="Team",
            counterpart_id=trial_sku,
        ),
        _create(
            "skurevision",
            trial_revision,
            sku_id=trial_sku,
            features=features,
            seats_maximum=250,
            countries=list(COUNTRIES),
            environments=["trial", "staging"],
            support_level="community",
        ),
        _create(
            "skurevision",
            production_revision,
            sku_id=production_sku,
            features=features,
            seats_minimum=25,
            countries=["EEA", "US", "CA"],
            hosting_countries=["DE", "US"],
            environments=["trial", "staging", "production"],
            support_level="business_hours",
            compliance_obligations=["Data of EU staff stays in the EEA"],
            list_price="120",
            currency="EUR",
        ),
    ]


def _create(model: str, record_id: uuid.UUID, verb: str = "create", **payload: object) -> Draft:
    return Draft(kind=f"{model}.{verb}", payload=payload, target_id=record_id)


def _line(
    line_id: uuid.UUID,
    agreement_id: uuid.UUID,
    reference: str,
    revision_id: uuid.UUID,
    quantity: int,
    unit_price: str,
    starts_at: datetime,
    ends_at: datetime,
) -> Draft:
    return _create(
        "orderline",
        line_id,
        agreement_id=agreement_id,
        reference=reference,
        sku_revision_id=revision_id,
        starts_at=starts_at,
        ends_at=ends_at,
        periods=[{"starts_at": starts_at, "ends_at": ends_at, "quantity": quantity, "unit_price": unit_price}],
        billing="year",
        currency="EUR",
        cost_center="CC-4711",
    )
