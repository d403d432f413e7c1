"""What the role that serves may do, and that migrations run as the owner."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from foundation.database import roles

pytestmark = pytest.mark.django_db

TABLES = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND {}"


def answer(query: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [name for (name,) in cursor.fetchall()]


class TestApp:
    def test_owns_nothing(self) -> None:
        assert answer("SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = current_user") == []
        assert answer("SELECT proname FROM pg_proc WHERE pg_get_userbyid(proowner) = current_user") == []

    def test_reads_every_table(self) -> None:
        assert answer(TABLES.format("NOT has_table_privilege(oid, 'SELECT')")) == []

    @pytest.mark.parametrize("privilege", ["TRUNCATE", "REFERENCES", "TRIGGER"])
    def test_empties_and_alters_none(self, privilege: str) -> None:
        assert answer(TABLES.format(f"has_table_privilege(oid, '{privilege}')")) == []

    def test_makes_no_table(self) -> None:
        assert answer("SELECT 'may' WHERE has_schema_privilege('public', 'CREATE')") == []

    def test_is_no_member_of_the_owner(self) -> None:
        assert answer("SELECT 'member' WHERE pg_has_role(current_user, 'tenure_owner', 'MEMBER')") == []


class TestDefaultPrivileges:
    def test_cover_tables_made_later(self) -> None:
        granted = answer(
            "SELECT DISTINCT defaclobjtype::text FROM pg_default_acl, aclexplode(defaclacl) "
            "WHERE grantee = 'tenure_app'::regrole ORDER BY 1"
        )
        assert granted == ["S", "f", "r"]


class TestOnlyAppend:
    def test_leaves_select_and_insert(self) -> None:
        operation = roles.only_append(["audit_event"])
        assert operation.sql == [
            "REVOKE ALL ON audit_event FROM tenure_app; GRANT SELECT, INSERT ON audit_event TO tenure_app;"
        ]


class TestMigrate:
    def test_refuses_the_role_that_serves(self) -> None:
        with pytest.raises(CommandError, match=r"“default” was not migrated: the role that serves must own nothing\."):
            call_command("migrate", database="default", stdout=StringIO())

    def test_refuses_without_an_owner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(settings.DATABASES, "owner")
        with pytest.raises(CommandError, match=r"Nothing was migrated: .* Set DATABASE_OWNER_URL"):
            call_command("migrate", stdout=StringIO())
