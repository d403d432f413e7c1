"""The test house itself: whose database, which role, what a committing test leaves behind."""

from typing import Any

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection


@pytest.mark.django_db
class TestDatabase:
    def test_is_used_as_the_role_that_owns_nothing(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")
            assert cursor.fetchone() == ("tenure_app", 0)

    def test_has_tables_of_the_owner(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'")
            assert cursor.fetchall() == [("tenure_owner",)]


@pytest.mark.django_db(transaction=True)
class TestRestore:
    @pytest.mark.parametrize("attempt", [1, 2])
    def test_takes_away_what_a_test_committed(
        self, attempt: int, app_connection: psycopg.Connection[Any], owner_connection: psycopg.Connection[Any]
    ) -> None:
        content_types = ContentType.objects.count()
        assert content_types > 0, "first data was not restored"
        assert not ContentType.objects.filter(app_label="committed").exists()
        ContentType.objects.create(app_label="committed", model="thing")
        seen = "SELECT count(*) FROM django_content_type WHERE app_label = 'committed'"
        for other in (app_connection, owner_connection):
            assert other.execute(seen).fetchone() == (1,)
        assert owner_connection.execute("SELECT current_user::text").fetchone() == ("tenure_owner",)


class TestSockets:
    def test_are_closed(self) -> None:
        import socket

        with pytest.warns(UserWarning, match="tried to use socket"), pytest.raises(RuntimeError):
            socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def test_are_open_to_this_machine_where_a_test_asks(self, loopback: None) -> None:
        import socket

        with socket.socket() as server, socket.socket() as client:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
        with (
            pytest.warns(UserWarning, match="tried to use socket"),
            pytest.raises(RuntimeError),
            socket.socket() as other,
        ):
            other.connect(("192.0.2.1", 80))
