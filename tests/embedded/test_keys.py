"""The keys of an installation: losing or changing them loses the patients' documents."""

import stat

import pytest
from cryptography.fernet import Fernet

from hospital.embedded import keys
from hospital.embedded.errors import CannotStart


def test_keys_are_made_once_and_stay(tmp_path, monkeypatch):
    for name in ("SECRET_KEY", "FIELD_KEYS", "HASH_KEY"):
        monkeypatch.delenv(name, raising=False)

    first = keys.of(tmp_path)

    assert keys.of(tmp_path) == first
    assert set(first) == {"SECRET_KEY", "FIELD_KEYS", "HASH_KEY"}


def test_only_the_owner_reads_the_key_file(tmp_path):
    keys.of(tmp_path)

    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600


def test_a_key_given_in_the_environment_wins_and_is_not_written_down(tmp_path, monkeypatch):
    monkeypatch.setenv("HASH_KEY", "the hospital's own")

    assert keys.of(tmp_path)["HASH_KEY"] == "the hospital's own"
    assert "the hospital's own" not in (tmp_path / "secrets.env").read_text()


def test_a_key_that_a_newer_version_needs_is_added_and_the_others_stay(tmp_path, monkeypatch):
    for name in ("SECRET_KEY", "FIELD_KEYS", "HASH_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "secrets.env").write_text("SECRET_KEY=old\n")

    made = keys.of(tmp_path)

    assert made["SECRET_KEY"] == "old"
    assert keys.of(tmp_path) == made


def test_the_field_key_encrypts(tmp_path, monkeypatch):
    monkeypatch.delenv("FIELD_KEYS", raising=False)
    box = Fernet(keys.of(tmp_path)["FIELD_KEYS"])

    assert box.decrypt(box.encrypt(b"410105")) == b"410105"


def test_data_whose_keys_are_lost_is_not_given_new_ones(tmp_path, monkeypatch):
    for name in ("FIELD_KEYS", "HASH_KEY"):
        monkeypatch.delenv(name, raising=False)
    data = tmp_path / "postgres-18"
    keys.refuse_if_lost(tmp_path, data=data)  # no data yet: the first start
    data.mkdir()
    (data / "PG_VERSION").write_text("18")

    with pytest.raises(CannotStart, match="Put the file back"):
        keys.refuse_if_lost(tmp_path, data=data)

    keys.of(tmp_path)
    keys.refuse_if_lost(tmp_path, data=data)
