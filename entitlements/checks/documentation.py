"""
The page of reason codes, written from the table that answers them.

`python -m entitlements.checks.documentation > docs/reason-codes.md` writes it; a test fails when the page and the
table differ.
"""

from __future__ import annotations

import sys
from string import Formatter

from entitlements.checks.reasons import REASONS, Code, Outcome, Reason, guidance_path

_INTRODUCTION = """# Reason codes

Written from `entitlements/checks/reasons.py` by `python -m entitlements.checks.documentation`; edit it there.

Every answer of the access check carries one of these codes, a sentence, the entitlement it rests on, the owner to
contact, the next action and the path of its guidance. Codes are stable: new ones are added, none is renamed. Words in
angle brackets are filled in.

When several entitlements apply, a yes beats a no; one in force beats one in grace; production beats bridge beats
trial; then the one that lasts longest answers. When all refuse, the one that passes most rules explains the refusal.
The rules, in order: not withdrawn, within the period, activated, environment, region, release, feature, seat.
"""

_SECTIONS = (
    (Outcome.ALLOWED, "Allowed", "The answer is yes."),
    (Outcome.DENIED, "Denied", "The answer is no."),
    (Outcome.WARNING, "Warnings", "They stand beside an answer and never change a yes into a no."),
)


def render() -> str:
    """Write the whole page as Markdown."""
    parts = [_INTRODUCTION]
    for outcome, title, lead in _SECTIONS:
        codes = [code for code in Code if REASONS[code].outcome is outcome]
        parts.append(f"## {title}\n\n{lead}\n")
        parts.extend(_entry(code, REASONS[code]) for code in codes)
    return "\n".join(parts)


def _entry(code: Code, reason: Reason) -> str:
    return (
        f"### {code.value}\n\n"
        f"> {_shown(reason.sentence)}\n\n"
        f"{reason.explanation}\n\n"
        f"- Who can act: {reason.actor}.\n"
        f"- Next action: {_shown(reason.action)}\n"
        f"- Guidance: `{guidance_path(code)}`\n"
    )


def _shown(template: str) -> str:
    """Write a template with its words in angle brackets."""
    return "".join(
        text + (f"‹{name.replace('_', ' ')}›" if name else "") for text, name, _, _ in Formatter().parse(template)
    )


if __name__ == "__main__":
    sys.stdout.write(render())
