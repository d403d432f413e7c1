"""
State changes without an event (INV-4): every function that opens a transaction leads to a record of the ledger, as far
as names in the source tell, or stands below with the reason why nothing is to be recorded.
"""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("foundation", "audit", "approvals", "entitlements")
RECORDING = {("audit.services", name) for name in ("record", "record_all", "record_once")}
# Writes that are no state change of what is governed or decided, each with the reason.
_OUTBOX = "What leaves after a commit: each message belongs to a change that has its event; tries are in its own rows."
_OWN = "A reader's own way of seeing things: nobody else's rights, nothing governed."
_STAGED = "People's details are staged beside a change and erasable; that somebody is registered has its event."
UNRECORDED: dict[tuple[str, str], str] = {
    ("approvals.announcements.subscribing", "_save"): "The savepoint of a save; each of its callers records.",
    ("approvals.announcements.telling", "tell"): "A mail sent is a row of evidence by itself, and changes nothing.",
    ("audit.packs.working", "_claim"): "Who is at work on a pack, for some minutes; what comes of it has its event.",
    ("audit.sealing.services", "seal"): "Numbers and signs events that are recorded; it would never end.",
    ("audit.sealing.verification", "_readable"): "It reads the log, and writes nothing.",
    ("audit.sealing.verification", "one_snapshot"): "It reads the log, and writes nothing.",
    ("approvals.reminders.digests", "_remind_one"): "A reminder is a row of evidence by itself, and changes nothing.",
    ("approvals.reminders.services", "choose_frequency"): _OWN,
    ("approvals.tickets.reading", "_claim"): "When a ticket is read next; what was read has its event if it differs.",
    ("approvals.worklists.services", "remove"): _OWN,
    ("approvals.worklists.services", "save"): _OWN,
    (
        "entitlements.admin.logins",
        "user_change_password",
    ): "Django’s own view calls log_change, which records.",
    ("entitlements.directory.services", "discard_staged_details"): _STAGED,
    ("entitlements.directory.services", "stage_details"): _STAGED,
    ("entitlements.story.cast", "assemble"): "The demo's cast, made before its story begins; its changes have events.",
    ("foundation.api.authentication", "_note_use"): "When a token was last used, to the hour; it decides nothing.",
    ("foundation.api.idempotency", "_answer_once"): "The answer to a request that is sent twice; the request records.",
    ("foundation.api.idempotency", "purge"): "Answers that are kept for a day are removed after it.",
    ("foundation.identity.services", "choose_time_zone"): _OWN,
    ("foundation.outbox.services", "claim"): _OUTBOX,
    ("foundation.outbox.services", "complete"): _OUTBOX,
    ("foundation.outbox.services", "fail"): _OUTBOX,
    ("foundation.outbox.services", "purge"): _OUTBOX,
    ("foundation.outbox.services", "replay"): _OUTBOX,
    ("foundation.outbox.services", "sweep"): _OUTBOX,
}
Function = tuple[str, str]


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the program by its dotted name."""
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                found[name] = ast.parse(path.read_text())
    return found


@cache
def names_of(module: str) -> dict[str, Function]:
    """What a module names: its own functions and classes, and what it imports; a module imported has an empty name."""
    found: dict[str, Function] = {}
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found[alias.asname or alias.name] = (whole, "") if whole in modules() else (node.module, alias.name)
    for node in modules()[module].body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = (module, node.name)
    return found


@cache
def functions() -> dict[Function, list[ast.FunctionDef]]:
    """Functions and methods by module and name; methods of one name in one module count as one."""
    found: dict[Function, list[ast.FunctionDef]] = {}
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                found.setdefault((module, node.name), []).append(node)
    return found


@cache
def called_by(function: Function) -> frozenset[Function]:
    """What a function calls, as far as names tell."""
    module, found = function[0], set()
    for body in functions().get(function, ()):
        for node in ast.walk(body):
            # A function that is named may be handed on and called there.
            if isinstance(node, ast.Name) and node.id in names_of(module):
                found.add(names_of(module)[node.id])
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner = node.value.id
                if owner in ("self", "cls"):
                    found.add((module, node.attr))
                elif names_of(module).get(owner, ("", "x"))[1] == "":
                    found.add((names_of(module)[owner][0], node.attr))
    return frozenset(found)


def records(function: Function) -> bool:
    """Whether calls lead from a function to a record of the ledger."""
    seen, rest = set(), [function]
    while rest:
        one = rest.pop()
        if one in RECORDING:
            return True
        if one not in seen:
            seen.add(one)
            rest += called_by(one)
    return False


def opening() -> set[Function]:
    """The functions that open a transaction, by decorator or within."""
    return {
        function
        for function, bodies in functions().items()
        for body in bodies
        if any("transaction.atomic" in ast.unparse(decorator) for decorator in body.decorator_list)
        or any(
            "transaction.atomic" in ast.unparse(item.context_expr)
            for node in ast.walk(body)
            if isinstance(node, ast.With)
            for item in node.items
        )
    }


class TestFunctionsThatOpenATransaction:
    def test_record_what_they_change(self) -> None:
        silent = {function for function in opening() if not records(function)}

        assert silent - UNRECORDED.keys() == set()

    def test_are_excused_only_where_they_record_nothing(self) -> None:
        assert {function for function in UNRECORDED if function not in opening() or records(function)} == set()
        assert len(opening()) > 60
        assert all(len(reason) > 20 for reason in UNRECORDED.values())
