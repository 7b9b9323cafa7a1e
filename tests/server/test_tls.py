"""The certificate made for this machine."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from web import tls

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def names_of(certificate: Path) -> set[str]:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = {str(one) for one in names.get_values_for_type(x509.DNSName)}
    return found | {str(one) for one in names.get_values_for_type(x509.IPAddress)}


def test_it_names_every_address_of_the_machine(tmp_path: Path) -> None:
    certificate, key = tls.self_signed(tmp_path, NOW)
    assert names_of(certificate) >= {"localhost", "127.0.0.1", *tls.machine_addresses()}
    assert isinstance(tls.context(certificate, key), ssl.SSLContext)
    assert key.stat().st_mode & 0o077 == 0


def test_it_is_kept_while_it_lasts(tmp_path: Path) -> None:
    certificate, _ = tls.self_signed(tmp_path, NOW)
    first = certificate.read_bytes()
    tls.self_signed(tmp_path, NOW + timedelta(days=300))
    assert certificate.read_bytes() == first
    tls.self_signed(tmp_path, NOW + timedelta(days=380))
    assert certificate.read_bytes() != first


def test_a_new_address_makes_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, _ = tls.self_signed(tmp_path, NOW)
    first = certificate.read_bytes()
    monkeypatch.setattr(tls, "machine_addresses", lambda: ["192.0.2.77", "127.0.0.1"])
    tls.self_signed(tmp_path, NOW)
    assert certificate.read_bytes() != first
    assert "192.0.2.77" in names_of(certificate)


@pytest.mark.parametrize(
    "damage", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n"]
)
def test_a_damaged_one_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    certificate, key = tls.self_signed(tmp_path, NOW)
    certificate.write_bytes(damage)
    tls.self_signed(tmp_path, NOW)
    assert names_of(certificate)
    key.unlink()
    tls.self_signed(tmp_path, NOW)
    assert isinstance(tls.context(certificate, key), ssl.SSLContext)


def test_loopback_is_the_last_address() -> None:
    found = tls.machine_addresses()
    loopback = [one for one in found if one.startswith("127.") or one == "::1"]
    assert loopback
    assert found[-len(loopback) :] == loopback
