"""What the documents say of change control and of the database is so."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection

from approvals.governed import governed_models
from approvals.requests.states import Status, diagram
from approvals.roles import ROLES
from foundation.database.provision import APP

ROOT = Path(__file__).resolve().parents[2]
APPS = ("foundation", "audit", "approvals", "entitlements")
# Keys, references, what Django and PostgreSQL make by themselves: nobody decides on them.
STRUCTURAL = re.compile(
    r"_pkey$|_fk$|_fk_[a-z_]+|_not_null\d*$|_check\d*$|_(?:username|number|change_request_id|_uniq)_key$|_uniq$"
)

pytestmark = pytest.mark.django_db


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def fetched(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return sorted({name for (name,) in cursor.fetchall()})


def sorts() -> dict[str, str]:
    """The sort of each table that the document lists."""
    return dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text_of("governed-tables.md"), re.MULTILINE))


class TestInvariants:
    def test_name_every_constraint_of_the_projects_tables(self) -> None:
        tables = {model._meta.db_table for app in APPS for model in apps.get_app_config(app).get_models()}
        listed = ", ".join(f"'{table}'" for table in tables)
        found = fetched(
            "SELECT conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
            f"WHERE t.relname IN ({listed}) AND c.contype <> 't' "
            "UNION SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
            f"JOIN pg_class t ON t.oid = x.indrelid WHERE x.indisunique AND t.relname IN ({listed})"
        )
        named = {name for name in found if not STRUCTURAL.search(name)}

        assert len(named) > 50
        assert named - named_in("invariants.md") == set()

    def test_name_every_refusal_of_a_trigger(self) -> None:
        sources = "\n".join(
            fetched(
                "SELECT prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                "JOIN pg_language l ON l.oid = p.prolang WHERE n.nspname = 'public' AND l.lanname = 'plpgsql'"
            )
        )
        refusals = set(re.findall(r"CONSTRAINT\s*=\s*'(\w+)'", sources)) | set(
            re.findall(r"refuse_terms\('(\w+)'", sources)
        )

        assert len(refusals) > 25
        assert refusals - named_in("invariants.md") == set()

    def test_name_no_constraint_that_is_gone(self) -> None:
        known = set(fetched("SELECT conname FROM pg_constraint UNION SELECT relname FROM pg_class WHERE relkind = 'i'"))
        sources = "\n".join(
            fetched("SELECT prosrc FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE l.lanname = 'plpgsql'")
        )
        constraints = {name for name in named_in("invariants.md") if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name)}
        words = {"check_waived", "visible_to", "visible_accounts", "visible_products", "refuse_truncate"}

        assert {name for name in constraints - known - words if f"'{name}'" not in sources} == set()

    def test_name_tests_that_exist(self) -> None:
        text, file, missing = text_of("invariants.md"), "", []
        for part in re.findall(r"`(tests/[\w/]+\.py)?(::\w+)?`", text):
            file = part[0] or file
            path = ROOT / file
            if not path.exists() or (part[1] and f"class {part[1][2:]}" not in path.read_text()):
                missing.append(part)

        assert missing == []

    def test_are_numbered_without_a_hole(self) -> None:
        assert re.findall(r"^## INV-(\d+) ", text_of("invariants.md"), re.MULTILINE) == [str(n) for n in range(1, 14)]


def named_in(document: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text_of(document)))


class TestGovernedTables:
    def test_list_every_table_and_none_that_is_gone(self) -> None:
        with connection.cursor() as cursor:
            tables = set(connection.introspection.table_names(cursor))

        assert set(sorts()) == tables

    def test_know_three_sorts(self) -> None:
        assert set(sorts().values()) == {"governed", "operational", "record"}

    def test_are_governed_where_kinds_change_them(self) -> None:
        governed = {table for table, sort in sorts().items() if sort == "governed"}

        assert governed == {model._meta.db_table for model in governed_models()}

    def test_have_the_triggers_of_their_sort(self) -> None:
        guarded = dict.fromkeys(fetched(triggered("governed_write", "governed_truncate")), "governed")
        guarded |= dict.fromkeys(fetched(triggered("append_only", "append_only_truncate")), "record")

        assert guarded == {table: sort for table, sort in sorts().items() if sort != "operational"}

    def test_give_the_role_that_serves_the_rights_of_their_sort(self) -> None:
        for table, sort in sorts().items():
            rights = fetched(
                "SELECT privilege_type FROM information_schema.role_table_grants "
                f"WHERE table_name = '{table}' AND grantee = '{APP}'"
            )
            if sort == "record":
                assert rights == ["INSERT", "SELECT"], table
            assert "TRUNCATE" not in rights, table
            assert "TRIGGER" not in rights, table

    def test_are_owned_by_another_role(self) -> None:
        assert APP not in fetched("SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'")


def triggered(row: str, statement: str) -> str:
    """The statement that finds tables which have both triggers, enabled."""
    return (
        "SELECT t.relname FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid "
        f"WHERE g.tgname IN ('{row}', '{statement}') AND g.tgenabled = 'O' GROUP BY t.relname HAVING count(*) = 2"
    )


class TestChangeRequests:
    def test_show_the_diagram_of_the_table_of_states(self) -> None:
        assert f"```mermaid\n{diagram()}\n```" in text_of("change-requests.md")

    def test_speak_of_every_status(self) -> None:
        assert all(status.value in text_of("change-requests.md") for status in Status)


class TestRoles:
    def test_are_listed_as_they_are(self) -> None:
        listed = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", text_of("roles.md"), re.MULTILINE)

        assert listed == [
            (role.name, role.description, ", ".join(f"`{name}`" for name in role.permissions)) for role in ROLES
        ]

    def test_are_groups_with_exactly_their_permissions(self) -> None:
        given_besides = {
            (role, permission)
            for permission, roles in re.findall(
                r"`(entitlements\.\w+)` \([^)]*\) to ((?:`\w+`|[\s,]|and)+)", text_of("roles.md")
            )
            for role in re.findall(r"`(\w+)`", roles)
        }
        held = {
            (group.name, f"{permission.content_type.app_label}.{permission.codename}")
            for group in Group.objects.all()
            for permission in group.permissions.select_related("content_type")
        }

        assert held == {(role.name, name) for role in ROLES for name in role.permissions} | given_besides
        assert {group.name for group in Group.objects.all()} == {role.name for role in ROLES}


class TestGlossary:
    def test_defines_every_governed_record(self) -> None:
        text = text_of("glossary.md").lower()

        assert [model for model in governed_models() if str(model._meta.verbose_name).lower() not in text] == []
