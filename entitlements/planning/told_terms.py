"""The law of a plan for people: parties, term and notice, clauses beside our reading, consents, screenings, hosting."""

from collections.abc import Mapping, Sequence
from typing import Any

from entitlements.planning.told import Labels, countries, day, fact, gathered, instant, percent
from entitlements.planning.told_money import ON_AGREEMENT
from foundation.web.blocks import Block, Fact, Facts, Passage, Point, Points, Row, Section, Table

JSON = Any
AGREEMENTS_SHOWN = 10
RIGHTS_SHOWN = 25
STATES = {"new": ("new", "info"), "changed": ("changed", "warning"), "removed": ("removed", "danger")}
OUTCOMES = {"clear": ("Clear", ""), "pending": ("Pending", "warning"), "objection": ("Objection", "danger")}
MATTERS = {"export": "Export control", "residency": "Data residency"}


def sections(*, document: Mapping[str, JSON], labels: Labels) -> list[Section]:
    """The sections about agreements and hosting; none for plans that are older than they are."""
    agreements = document.get("agreements", ())[:AGREEMENTS_SHOWN]
    hosting = document.get("hosting", ())
    found = []
    if agreements:
        found = [
            Section("parties", "Parties", "", [_parties(row, labels) for row in agreements]),
            Section("notice", "Term and notice", "", [block for row in agreements for block in _term(row)]),
            Section("clauses", "Clauses, and how we read them", "", _clauses(agreements)),
            Section("consent", "Consent", "", _consents(agreements)),
            Section("screening", "Export and residency screening", "", _screenings(agreements)),
        ]
    if hosting:
        found.append(Section("hosting", "Regions, hosting and obligations", "", _hosting(hosting, labels)))
    return found


def _parties(row: Mapping[str, JSON], labels: Labels) -> Facts:
    covered = ", ".join(labels.get(str(key), "an account") for key in row["covered_accounts"]) or "the licensee alone"
    if row["covers_descendants"]:
        covered += ", each with the accounts below it"
    return Facts(
        gathered(
            [
                Fact("Agreement", f"{row['reference']}, {row['title']}" + (" (new)" if row["new"] else "")),
                Fact("We are the", row["side"]),
                Fact("Licensor", row["licensor"]),
                Fact("Licensee", labels.get(str(row["licensee_id"]), "an account")),
                fact("Purchaser", row["purchaser"], f"{ON_AGREEMENT}purchaser."),
                Fact("Reseller", row["reseller"] or "none"),
                Fact("Covered accounts", covered),
                fact("May be assigned", row["assignability"], f"{ON_AGREEMENT}assignability."),
                fact("Owner", labels.get(str(row["owner_id"]), ""), f"{ON_AGREEMENT}owner."),
            ]
        ),
        title=row["reference"],
    )


def _term(row: Mapping[str, JSON]) -> list[Block]:
    notice = row["notice"]
    facts = Facts(
        gathered(
            [
                Fact("In force", f"{instant(row['starts_at'])} to {instant(row['ends_at'], 'no fixed end')}"),
                Fact("Notice", f"{row['notice_days']} days before the end"),
                Fact("Notice deadline", day(notice["deadline_on"]) if notice["deadline_on"] else "none: no fixed end"),
                Fact("Notice served", day(row["notice_served_on"]) if row["notice_served_on"] else "no"),
                Fact("Without notice", _consequence(row)),
                fact("Price cap at renewal", percent(row["price_cap_percent"]), f"{ON_AGREEMENT}price cap."),
                fact("Termination", row["termination_terms"], f"{ON_AGREEMENT}termination terms."),
                fact("True-up", row["true_up_terms"], f"{ON_AGREEMENT}true-up terms."),
            ]
        ),
        title=row["reference"],
    )
    if notice["passed"] and notice["renews_to"]:
        return [facts, Points([Point("The notice deadline had passed when this was planned.", "warning")])]
    return [facts]


def _consequence(row: Mapping[str, JSON]) -> str:
    notice = row["notice"]
    if notice["renews_to"]:
        months = row["renewal_months"]
        return (
            f"it renews by itself for {months} months, from {instant(row['ends_at'])} to {instant(notice['renews_to'])}"
        )
    if row["renewal"] == "evergreen" or row["ends_at"] is None:
        return "it goes on until somebody ends it"
    return f"it ends on {instant(row['ends_at'])}"


def _clauses(agreements: Sequence[Mapping[str, JSON]]) -> list[Block]:
    blocks: list[Block] = []
    for row in agreements:
        if not row["clauses"]:
            where = f"{ON_AGREEMENT}clauses, with text, our reading, who read it and when."
            blocks.append(Facts([Fact("Clauses", "", where)], title=row["reference"]))
        for clause in row["clauses"]:
            blocks.append(_clause(row["reference"], clause))
            if clause["was"]:
                blocks.append(_clause(row["reference"], clause["was"] | {"state": "was", "was": None}))
    return blocks


def _clause(reference: str, clause: Mapping[str, JSON]) -> Passage:
    state, tone = STATES.get(clause["state"], ("as it was before", "neutral") if clause["state"] == "was" else ("", ""))
    read_on = day(clause.get("interpreted_on"))
    return Passage(
        title=f"{reference}, {clause['number']} {clause['title']}",
        left_title="What is written",
        left=clause["text"] or "Not recorded.",
        right_title="How we read it",
        right=clause["interpretation"] or "Not recorded.",
        facts=(
            fact("Read by", clause["interpreted_by"], f"{ON_AGREEMENT}clauses, read by."),
            fact("Read on", read_on, f"{ON_AGREEMENT}clauses, read on."),
            fact("SHA-256 of the text", clause.get("digest", ""), "It is computed when the clause’s text is recorded."),
        ),
        tone=tone,
        state=state,
    )


def _consents(agreements: Sequence[Mapping[str, JSON]]) -> list[Block]:
    blocks: list[Block] = []
    for row in agreements:
        rows = [
            Row([one["to"], one["given_by"], day(one["given_on"]), one["document"] or "–", one["digest"] or "–"])
            for one in row["consents"]
        ]
        if rows:
            head = ("To what", "Given by", "On", "Document", "SHA-256")
            blocks.append(Table(row["reference"], head, rows))
        else:
            need = "A bridge under it needs written consent. " if row["needs_written_consent"] else ""
            blocks.append(Facts([Fact("Consent", "", f"{need}{ON_AGREEMENT}consents.")], title=row["reference"]))
    return blocks


def _screenings(agreements: Sequence[Mapping[str, JSON]]) -> list[Block]:
    blocks: list[Block] = []
    for row in agreements:
        rows = []
        for one in row["screenings"]:
            outcome, tone = OUTCOMES[one["outcome"]]
            said = [MATTERS[one["matter"]], one["subject"], outcome, day(one["screened_on"]), one["screened_by"] or "–"]
            rows.append(Row([*said, one["reference"] or "–"], tone))
        if rows:
            head = ("Matter", "Of", "Outcome", "Screened on", "By", "Reference")
            blocks.append(Table(row["reference"], head, rows))
        lacking = [
            word for matter, word in MATTERS.items() if all(one["matter"] != matter for one in row["screenings"])
        ]
        if lacking:
            facts = [Fact(word, "", f"{ON_AGREEMENT}screenings.") for word in lacking]
            blocks.append(Facts(facts, title="" if rows else row["reference"]))
    return blocks


def _hosting(rows: Sequence[Mapping[str, JSON]], labels: Labels) -> list[Block]:
    blocks: list[Block] = [_right(row, labels) for row in rows[:RIGHTS_SHOWN]]
    if len(rows) > RIGHTS_SHOWN:
        blocks.append(Points([Point(f"And {len(rows) - RIGHTS_SHOWN} more entitlements, which the API lists.")]))
    return blocks


def _right(row: Mapping[str, JSON], labels: Labels) -> Facts:
    on_revision = "SKU revision, by a change of kind skurevision.create: "
    deployments = "; ".join(_deployment(one) for one in row["deployments"])
    return Facts(
        gathered(
            [
                Fact("Used in", countries(row["countries"])),
                fact("May be hosted in", countries(row["hosting_countries"]), f"{on_revision}hosting countries."),
                Fact("Environments", ", ".join(row["environments"]) or "–"),
                fact("Runs as", deployments, "Deployments of the account, by a change of kind deployment.create."),
                fact("Export class", row["export_class"], f"{on_revision}export class."),
                fact("Obligations", "; ".join(row["compliance_obligations"]), f"{on_revision}compliance obligations."),
                Fact("Support", row["support_level"].replace("_", " ")),
            ]
        ),
        title=f"{row['reference']}: {labels.get(row['product'], 'a product')} for {labels.get(row['account'], '')}",
    )


def _deployment(row: Mapping[str, JSON]) -> str:
    where = countries([row["hosting_country"]]) if row["hosting_country"] else "no country"
    return f"{row['name']} ({row['environment']}, {where})"
