"""The readers of the environment: what they answer, and the sentence with which they stop a start."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import readers
from foundation.embedded import layout

CHECKOUT = Path(__file__).resolve().parents[2]
SECRET = "correct-horse-battery-staple-correct-horse-battery-staple"


@pytest.fixture
def own_layout(tmp_path: Path) -> layout.Layout:
    return layout.arrange(checkout=tmp_path, home=tmp_path / "home", server=tmp_path / "home" / "postgresql")


class TestReadText:
    def test_answers_the_value_without_blanks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THING", " value ")
        assert readers.read_text("THING") == "value"

    @pytest.mark.parametrize("value", ["", "  "])
    def test_takes_empty_for_not_set(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv("THING", value)
        assert readers.read_text("THING", default="other") == "other"

    def test_stops_without_a_value(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"THING is not set, .* Set it in the environment"):
            readers.read_text("THING")


class TestReadBoolean:
    @pytest.mark.parametrize(
        ("value", "answer"), [("true", True), ("Yes", True), ("1", True), ("off", False), ("0", False)]
    )
    def test_knows_words_for_yes_and_no(self, monkeypatch: pytest.MonkeyPatch, value: str, answer: bool) -> None:
        monkeypatch.setenv("THING", value)
        assert readers.read_boolean("THING", default=not answer) is answer

    def test_refuses_another_word(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THING", "treu")
        with pytest.raises(ImproperlyConfigured, match=r"“treu”, which is neither yes nor no. Set it to true or false"):
            readers.read_boolean("THING", default=False)


class TestReadInteger:
    @pytest.mark.parametrize(
        ("value", "said"), [("2O", "not a whole number"), ("0", "at least 1"), ("11", "at most 10")]
    )
    def test_refuses_nonsense(self, monkeypatch: pytest.MonkeyPatch, value: str, said: str) -> None:
        monkeypatch.setenv("THING", value)
        with pytest.raises(ImproperlyConfigured, match=said):
            readers.read_integer("THING", default=5, minimum=1, maximum=10)

    def test_answers_the_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THING", "7")
        assert readers.read_integer("THING", default=5) == 7


class TestReadChoice:
    def test_names_the_choices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THING", "prod")
        with pytest.raises(
            ImproperlyConfigured, match=r"“prod”, which is not known. Set it to one of: production, embedded"
        ):
            readers.read_choice("THING", choices=("production", "embedded"))


class TestReadList:
    def test_splits_at_commas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THING", "a, b,,c ")
        assert readers.read_list("THING") == ["a", "b", "c"]

    def test_stops_without_one(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="THING is not set"):
            readers.read_list("THING")


class TestReadSecret:
    @pytest.mark.parametrize("value", ["short", "a" * 60])
    def test_refuses_what_can_be_guessed(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv("THING", value)
        with pytest.raises(ImproperlyConfigured, match=r"too easy to guess: .* openssl rand"):
            readers.read_secret("THING")

    def test_makes_one_that_stays_and_that_nobody_else_reads(self, own_layout: layout.Layout) -> None:
        made = readers.read_secret("THING", generated_by=own_layout)
        assert readers.read_secret("THING", generated_by=own_layout) == made
        assert len(made) > 50
        assert stat.S_IMODE(own_layout.secret_key.stat().st_mode) == 0o600

    def test_prefers_the_environment(self, own_layout: layout.Layout, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("THING", SECRET)
        assert readers.read_secret("THING", generated_by=own_layout) == SECRET
        assert not own_layout.secret_key.exists()


class TestReadDatabase:
    def read(self, monkeypatch: pytest.MonkeyPatch, url: str) -> dict[str, object]:
        monkeypatch.setenv("THING", url)
        return readers.read_database("THING", role="tenure_app")

    def test_reads_a_url(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = self.read(monkeypatch, "postgresql://tenure_app:p%40ss@db.example:5433/tenure?sslmode=require")
        assert (answer["USER"], answer["PASSWORD"], answer["HOST"], answer["PORT"], answer["NAME"]) == (
            "tenure_app",
            "p@ss",
            "db.example",
            5433,
            "tenure",
        )
        assert answer["OPTIONS"] == {"sslmode": "require", "application_name": "tenure"}

    def test_reads_a_directory_of_sockets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.read(monkeypatch, "postgres://tenure_app@%2Frun%2Fpostgresql/tenure")["HOST"] == "/run/postgresql"

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("mysql://tenure_app@db.example/tenure", "not the URL of a PostgreSQL database"),
            ("db.example", "not the URL of a PostgreSQL database"),
            ("postgres://tenure_app@db.example/", "names no database"),
            ("postgres://db.example/tenure", "names no role"),
            ("postgres://tenure_app@db.example:port/tenure", "cannot be read"),
        ],
    )
    def test_refuses_nonsense(self, monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=said):
            self.read(monkeypatch, url)

    def test_stops_without_one(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"THING is not set, .* TENURE_PROFILE=embedded"):
            readers.read_database("THING", role="tenure_app")

    def test_answers_none_where_none_is_required(self) -> None:
        assert readers.read_database("THING", role="tenure_owner", embedded=None, required=False) is None

    def test_answers_the_embedded_server(self, own_layout: layout.Layout) -> None:
        answer = readers.read_database("THING", role="tenure_app", embedded=own_layout)
        assert (answer["HOST"], answer["USER"], answer["NAME"]) == (str(own_layout.sockets), "tenure_app", "tenure")


class TestSettings:
    COMPLETE = {
        "SECRET_KEY": SECRET,
        "DATABASE_URL": "postgres://tenure_app:x@db.example/tenure",
        "PUBLIC_URL": "https://tenure.example",
        "ALLOWED_HOSTS": "tenure.example",
        "CELERY_BROKER_URL": "redis://broker.example/0",
    }

    def load(self, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "import config.settings"],
            cwd=CHECKOUT,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_load_where_everything_is_set(self) -> None:
        done = self.load(self.COMPLETE)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("name", sorted(COMPLETE))
    def test_stop_where_something_is_missing(self, name: str) -> None:
        done = self.load({key: value for key, value in self.COMPLETE.items() if key != name})
        assert done.returncode != 0
        assert f"{name} is not set, and there is no safe default." in done.stderr


class TestDocumentation:
    def test_names_every_variable(self) -> None:
        names = set(re.findall(r"read_\w+\(\s*\"([A-Z_]+)\"", (CHECKOUT / "config" / "settings.py").read_text()))
        documented = set(re.findall(r"`([A-Z_]+)`", (CHECKOUT / "docs" / "operations.md").read_text()))
        assert len(names) > 10
        assert names <= documented

    def test_gives_production_an_example_that_loads_once_filled_in(self) -> None:
        lines = (CHECKOUT / "deploy" / "environment.example").read_text().splitlines()
        example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        environment = {"PATH": os.environ["PATH"], **example, "SECRET_KEY": SECRET}
        loads = [sys.executable, "-c", "import config.settings"]
        done = subprocess.run(loads, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
