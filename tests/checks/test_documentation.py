from __future__ import annotations

from pathlib import Path
from string import Formatter

import pytest

from entitlements.checks.documentation import render
from entitlements.checks.reasons import REASONS, UNKNOWN_CODES, Code, guidance_path
from entitlements.checks.words import WRITERS

PAGE = Path(__file__).parents[2] / "docs" / "reason-codes.md"


class TestThePageOfReasonCodes:
    def test_is_what_the_table_says(self) -> None:
        assert PAGE.read_text(encoding="utf-8") == render(), (
            "Run: python -m entitlements.checks.documentation > docs/reason-codes.md"
        )

    @pytest.mark.parametrize("code", Code)
    def test_has_a_heading_for_each_guidance_path(self, code: Code) -> None:
        anchor = guidance_path(code).partition("#")[2]
        assert f"\n### {anchor}\n" in render()


class TestEveryReason:
    def test_is_in_the_table(self) -> None:
        assert set(REASONS) == set(Code)

    @pytest.mark.parametrize("code", Code)
    def test_is_written_in_sentences(self, code: Code) -> None:
        reason = REASONS[code]
        assert all(text.endswith(".") for text in (reason.sentence, reason.explanation, reason.action))

    @pytest.mark.parametrize("code", Code)
    def test_mentions_only_words_that_a_decision_fills_in(self, code: Code) -> None:
        words = set() if code in UNKNOWN_CODES | {Code.NO_ENTITLEMENT} else set(WRITERS)
        mentioned = {
            name
            for text in (REASONS[code].sentence, REASONS[code].action)
            for _, name, _, _ in Formatter().parse(text)
            if name
        }
        assert mentioned <= words
