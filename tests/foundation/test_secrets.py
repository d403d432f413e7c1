"""Secrets at rest."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from foundation.canonical import jsonable
from foundation.errors import InvalidInput
from foundation.secrets.fields import EncryptedText
from foundation.secrets.services import MASK, Secret, SecretUnreadable, check_keys

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


class TestSecret:
    def test_reveals_what_it_was_made_of(self, settings: Any) -> None:
        settings.SECRETS_KEYS = [OLD]

        assert Secret.of("whsec_abc").reveal() == "whsec_abc"

    def test_is_masked_wherever_it_is_shown(self, settings: Any) -> None:
        settings.SECRETS_KEYS = [OLD]
        secret = Secret.of("whsec_abc")

        shown = f"{secret} {secret!r} {secret!s} {[secret]} {json.dumps({'a': secret}, default=str)}"

        assert "whsec_abc" not in shown
        assert secret.token not in shown
        assert MASK in shown

    def test_has_no_json_form(self) -> None:
        with pytest.raises(InvalidInput):
            jsonable({"secret": Secret("x")})

    def test_is_readable_under_an_older_key(self, settings: Any) -> None:
        settings.SECRETS_KEYS = [OLD]
        secret = Secret.of("abc")
        settings.SECRETS_KEYS = [NEW, OLD]

        assert secret.reveal() == "abc"

    def test_outlives_the_old_key_once_rotated(self, settings: Any) -> None:
        settings.SECRETS_KEYS = [OLD]
        secret = Secret.of("abc")
        settings.SECRETS_KEYS = [NEW, OLD]
        rotated = secret.rotated()
        settings.SECRETS_KEYS = [NEW]

        assert rotated.reveal() == "abc"
        with pytest.raises(SecretUnreadable):
            secret.reveal()
        with pytest.raises(SecretUnreadable):
            secret.rotated()

    def test_refuses_a_forged_form(self, settings: Any) -> None:
        settings.SECRETS_KEYS = [OLD]

        with pytest.raises(SecretUnreadable):
            Secret("gAAAA-not-a-token").reveal()


class TestCheckKeys:
    def test_derives_a_key_in_the_embedded_profile(self, settings: Any) -> None:
        settings.SECRETS_KEYS, settings.EMBEDDED = [], True

        check_keys()

        assert Secret.of("abc").reveal() == "abc"

    def test_refuses_to_go_without_keys_elsewhere(self, settings: Any) -> None:
        settings.SECRETS_KEYS, settings.EMBEDDED = [], False

        with pytest.raises(ImproperlyConfigured, match="SECRETS_KEYS is empty"):
            check_keys()

    def test_refuses_what_is_not_a_key(self, settings: Any) -> None:
        settings.SECRETS_KEYS = ["short"]

        with pytest.raises(ImproperlyConfigured, match="not a Fernet key"):
            check_keys()


class TestEncryptedText:
    field = EncryptedText()

    def test_stores_the_encrypted_form(self) -> None:
        stored = self.field.get_prep_value("abc")

        assert stored is not None
        assert "abc" not in stored
        assert Secret(stored).reveal() == "abc"

    def test_keeps_a_secret_as_it_is(self) -> None:
        secret = Secret.of("abc")

        assert self.field.get_prep_value(secret) == secret.token

    def test_keeps_null(self) -> None:
        assert self.field.get_prep_value(None) is None

    def test_is_not_offered_for_editing(self) -> None:
        assert not self.field.editable

    def test_cannot_be_searched(self) -> None:
        class Holder(models.Model):  # noqa: DJ008
            secret = EncryptedText()

            class Meta:
                app_label = "nowhere"

        with pytest.raises(TypeError, match="cannot be compared"):
            str(Holder.objects.filter(secret="abc").query)
        assert "IS NULL" in str(Holder.objects.filter(secret__isnull=True).query)
