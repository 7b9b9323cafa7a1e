"""TLS by this process: from the operator's files, or from a certificate made here to try a phone with."""

import ipaddress
import os
import socket
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS: Final = 397  # what browsers accept at most
RENEW_DAYS: Final = 30
FOLDER: Final = "tls"
NAME: Final = "Huitang, made by this server"


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the HTTP server needs; OSError or ssl.SSLError when the files are missing or do not fit."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(certificate, key)
    return made


def self_signed(data_folder: Path, now: datetime) -> tuple[Path, Path]:
    """The certificate and key of this machine, kept in the data folder; made anew when an address or a month is new."""
    folder = data_folder / FOLDER
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = machine_names()
    if not _fits(certificate, key, names, now):
        folder.mkdir(mode=0o700, exist_ok=True)
        _make(certificate, key, names, now)
    return certificate, key


def machine_addresses() -> list[str]:
    """The machine's own addresses that others can use, the usual one first; then loopback."""
    found = [
        address
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        for address in [ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])]
        if not address.is_link_local
    ]
    ordered = sorted(set(found), key=lambda one: (one.is_loopback, one.version, int(one)))
    return [str(address) for address in ordered]


def machine_names() -> list[str]:
    """Everything this machine may be called in an address bar."""
    return ["localhost", socket.gethostname().lower(), *machine_addresses()]


def _fits(certificate: Path, key: Path, names: list[str], now: datetime) -> bool:
    try:
        known = x509.load_pem_x509_certificate(certificate.read_bytes())
        alternatives = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    held = {str(value) for value in alternatives.get_values_for_type(x509.DNSName)}
    held |= {str(value) for value in alternatives.get_values_for_type(x509.IPAddress)}
    lasts = known.not_valid_after_utc - now > timedelta(days=RENEW_DAYS)
    return key.exists() and lasts and held >= set(names)


def _make(certificate: Path, key: Path, names: list[str], now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # phones whose clock is behind
        .not_valid_after(now + timedelta(days=DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, pem, mode=0o600)
    _write(certificate, made.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
