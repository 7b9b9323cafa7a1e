"""Debian's coturn on the loopback, set up as docs/network.md says."""

import hashlib
import re
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.patience import PATIENCE_SECONDS
from tests.ports import reserved_port

SECRET = "a secret shared with coturn"
COTURN = Path("/usr/bin/turnserver")
GLANCE_SECONDS = 0.05


@dataclass(frozen=True)
class Coturn:
    """One that runs."""

    port: int
    tls_port: int
    log: Path
    certificate: Path

    @property
    def pin(self) -> str:
        """By which Chromium can be told to take the certificate, as if an authority that it knows had signed it."""
        key = x509.load_pem_x509_certificate(self.certificate.read_bytes()).public_key()
        encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(hashlib.sha256(encoded).digest()).decode()

    def relayed_bytes(self) -> int:
        """What the sessions that are over have carried from clients to their peers and back."""
        text = self.log.read_text() if self.log.exists() else ""
        counts = re.findall(r"peer usage:.* rb=(\d+),.* sb=(\d+)", text)
        return sum(int(received) + int(sent) for received, sent in counts)


@contextmanager
def running_coturn(folder: Path) -> Iterator[Coturn]:
    """Relay until the block ends."""
    certificate, key = folder / "turn.pem", folder / "turn-key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=turn", "-days", "1",
         "-out", certificate, "-keyout", key],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with reserved_port() as port, reserved_port() as tls_port:
        coturn = Coturn(port, tls_port, folder / "turn.log", certificate)
        with _running(coturn, folder, key):
            yield coturn


@contextmanager
def _running(coturn: Coturn, folder: Path, key: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [COTURN, "-n", "--no-cli", "--verbose", "--log-file", coturn.log, "--simple-log",
         "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--allow-loopback-peers",
         "--listening-port", str(coturn.port), "--tls-listening-port", str(coturn.tls_port),
         "--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "example.org",
         "--cert", coturn.certificate, "--pkey", key, "--pidfile", folder / "pid", "--db", folder / "turndb"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for port in (coturn.port, coturn.tls_port):
            _listening(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert process.poll() is None, "coturn did not start"
            assert time.monotonic() < deadline
            time.sleep(GLANCE_SECONDS)  # another process's port tells of no change
        else:
            return
