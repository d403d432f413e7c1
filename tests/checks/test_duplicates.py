from __future__ import annotations

from entitlements.checks.decision import decide
from entitlements.checks.values import FeatureLimit, LimitKind, Metric, Terms
from tests.checks.examples import (
    DEVICE,
    END,
    NOON,
    OTHER_PERSON,
    OTHER_PRODUCT,
    entitlement_id,
    production,
    question,
    seat,
    trial,
)


def numbers_of(*terms: Terms) -> list[int]:
    holdings = [seat(each.entitlement_id.int - 1000) for each in terms]
    return [each.int - 1000 for each in decide(question(), terms, holdings).duplicate_ids]


class TestDuplicateSeats:
    def test_are_a_trial_and_a_production_seat_that_know_nothing_of_each_other(self) -> None:
        assert numbers_of(production(1), trial(2)) == [1, 2]

    def test_are_none_when_the_one_replaces_the_other(self) -> None:
        assert numbers_of(production(1, replaces_id=entitlement_id(2)), trial(2)) == []

    def test_are_none_along_a_chain_even_if_its_middle_is_not_held(self) -> None:
        chain = [
            production(1, replaces_id=entitlement_id(2)),
            production(2, replaces_id=entitlement_id(3)),
            trial(3),
        ]
        assert decide(question(), chain, [seat(1), seat(3)]).duplicate_ids == ()

    def test_name_the_newest_of_each_chain(self) -> None:
        newer = production(1, starts_at=NOON, replaces_id=entitlement_id(2))
        assert numbers_of(newer, trial(2), production(3)) == [1, 3]

    def test_do_not_count_what_has_ended_or_was_withdrawn(self) -> None:
        assert numbers_of(production(1), production(2, ends_at=NOON), production(3, withdrawn=True)) == []

    def test_count_what_lives_by_grace(self) -> None:
        assert numbers_of(production(1), production(2, ends_at=NOON, grace_seconds=1)) == [1, 2]

    def test_do_not_count_an_add_on_with_other_features(self) -> None:
        add_on = production(2, features={"forms": FeatureLimit(LimitKind.SWITCH)})
        off = production(3, features={"reports": FeatureLimit(LimitKind.SWITCH, enabled=False)})
        assert numbers_of(production(1), add_on, off) == []

    def test_count_two_that_give_the_product_as_such(self) -> None:
        assert numbers_of(production(1), production(2, features={})) == [1, 2]

    def test_do_not_count_other_products_or_other_people(self) -> None:
        terms = [production(1), production(2, product_id=OTHER_PRODUCT), production(3)]
        seats = [seat(1), seat(2), seat(3, person_id=OTHER_PERSON)]
        assert decide(question(), terms, seats).duplicate_ids == ()

    def test_do_not_mix_a_person_with_a_device(self) -> None:
        terms = [production(1), production(2, metric=Metric.DEVICE)]
        asked = question(device_id=DEVICE)
        assert decide(asked, terms, [seat(1), seat(2, device_id=DEVICE)]).duplicate_ids == ()

    def test_are_two_on_one_device(self) -> None:
        terms = [production(1, metric=Metric.DEVICE), production(2, metric=Metric.DEVICE)]
        asked = question(device_id=DEVICE, at=END.replace(year=2026))
        seats = [seat(1, device_id=DEVICE), seat(2, device_id=DEVICE)]
        assert decide(asked, terms, seats).duplicate_ids == (entitlement_id(1), entitlement_id(2))

    def test_survive_a_circle_of_replacements(self) -> None:
        circle = [
            production(1, replaces_id=entitlement_id(2)),
            production(2, replaces_id=entitlement_id(1)),
        ]
        assert numbers_of(*circle) == []
