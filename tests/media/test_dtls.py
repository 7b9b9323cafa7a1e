"""DTLS over a simulated wire: lost, doubled and damaged datagrams."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from media.dtls import DtlsSession, DtlsState
from media.dtls_records import DATAGRAM_BYTES, pack_datagrams
from media.identity import SRTP_PROFILES, DtlsIdentity, Fingerprint, fingerprints_match

GCM, CM = "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"

Wire = Callable[[bytes], list[bytes]]


def unharmed(datagram: bytes) -> list[bytes]:
    return [datagram]


@pytest.fixture(scope="module")
def ours() -> DtlsIdentity:
    return DtlsIdentity.generate([GCM, CM])


@pytest.fixture(scope="module")
def theirs() -> DtlsIdentity:
    return DtlsIdentity.generate([CM, GCM])


def pair(ours: DtlsIdentity, theirs: DtlsIdentity) -> tuple[DtlsSession, DtlsSession]:
    server = DtlsSession(ours, "server", theirs.fingerprints[:1])
    return server, DtlsSession(theirs, "client", ours.fingerprints)


def exchange(server: DtlsSession, client: DtlsSession, wire: Wire = unharmed) -> list[int]:
    """Carry datagrams until nobody has any; gives their sizes."""
    sizes: list[int] = []
    server.start()
    client.start()
    while waiting := [(server, d) for d in client.take_outgoing()] + [
        (client, d) for d in server.take_outgoing()
    ]:
        for receiver, datagram in waiting:
            sizes.append(len(datagram))
            for arriving in wire(datagram):
                receiver.receive(arriving)
    return sizes


def test_both_sides_get_the_same_keys(ours: DtlsIdentity, theirs: DtlsIdentity) -> None:
    server, client = pair(ours, theirs)
    sizes = exchange(server, client)
    assert (server.state, client.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)
    assert max(sizes) <= DATAGRAM_BYTES
    assert server.keys is not None
    assert client.keys is not None
    assert (server.keys.receive, server.keys.send) == (client.keys.send, client.keys.receive)
    assert server.keys.receive != server.keys.send
    assert server.timeout() is None


@pytest.mark.parametrize(
    ("offered", "chosen"), [([GCM, CM], GCM), ([CM, GCM], GCM), ([CM], CM), ([GCM], GCM)]
)
def test_the_server_prefers_gcm(ours: DtlsIdentity, offered: list[str], chosen: str) -> None:
    server, client = pair(ours, DtlsIdentity.generate(offered))
    exchange(server, client)
    assert server.keys is not None
    assert server.keys.profile == chosen
    profile = SRTP_PROFILES[chosen]
    assert len(server.keys.send) == profile.key_bytes + profile.salt_bytes


@pytest.mark.parametrize(
    "suite", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"]
)
def test_an_encoder_with_an_rsa_certificate_may_be_the_server(ours: DtlsIdentity, suite: str) -> None:
    """It offers `a=setup:passive`, so we are its client; its certificate decides what may be agreed on."""
    encoder = rsa_identity(suite)
    server, client = (
        DtlsSession(encoder, "server", ours.fingerprints),
        DtlsSession(ours, "client", encoder.fingerprints),
    )
    exchange(server, client)
    assert (server.state, client.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)
    assert server.keys is not None
    assert client.keys is not None
    assert server.keys.send == client.keys.receive


def rsa_identity(suite: str) -> DtlsIdentity:
    """An encoder's, which speaks one cipher suite."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "encoder")])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_options(SSL.OP_NO_QUERY_MTU)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_cipher_list(suite.encode())
    context.set_tlsext_use_srtp(GCM.encode())
    fingerprint = Fingerprint("sha-256", certificate.fingerprint(hashes.SHA256()).hex(":").upper())
    return DtlsIdentity(certificate, context, (fingerprint,))


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_wrong_fingerprint_fails_on_either_side(
    ours: DtlsIdentity, theirs: DtlsIdentity, role: str
) -> None:
    wrong = [Fingerprint("sha-256", "00:" * 31 + "00")]
    server = DtlsSession(ours, "server", wrong if role == "server" else theirs.fingerprints)
    client = DtlsSession(theirs, "client", wrong if role == "client" else ours.fingerprints)
    exchange(server, client)
    deceived = server if role == "server" else client
    assert (deceived.state, deceived.failure, deceived.keys) == (
        DtlsState.FAILED,
        "fingerprint_mismatch",
        None,
    )


def test_every_known_hash_must_match(ours: DtlsIdentity) -> None:
    right = list(ours.fingerprints)
    assert fingerprints_match(ours.certificate, right)
    assert fingerprints_match(ours.certificate, [Fingerprint("sha-1", "00"), right[0]])
    assert not fingerprints_match(ours.certificate, [])
    assert not fingerprints_match(ours.certificate, [Fingerprint("sha-1", "00")])
    assert not fingerprints_match(ours.certificate, [right[0], Fingerprint("sha-512", right[0].value)])


def test_without_a_common_profile_it_fails() -> None:
    server, client = pair(DtlsIdentity.generate([GCM]), DtlsIdentity.generate([CM]))
    exchange(server, client)
    assert (server.state, server.failure) == (DtlsState.FAILED, "no_srtp_profile")


def test_a_doubled_datagram_does_no_harm(ours: DtlsIdentity, theirs: DtlsIdentity) -> None:
    server, client = pair(ours, theirs)
    exchange(server, client, lambda datagram: [datagram, datagram])
    assert (server.state, client.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)


@settings(max_examples=40, deadline=None)
@given(noise=st.lists(st.binary(max_size=60), max_size=5), position=st.integers(0, 6))
def test_noise_between_datagrams_does_no_harm(noise: list[bytes], position: int) -> None:
    server, client = pair(NOISY_SERVER, NOISY_CLIENT)
    count = 0

    def wire(datagram: bytes) -> list[bytes]:
        nonlocal count
        count += 1
        # Only what the pump would hand over: DTLS by its first byte.
        return [*(b"\x16" + n for n in noise), datagram] if count == position else [datagram]

    exchange(server, client, wire)
    assert server.state in {DtlsState.CONNECTED, DtlsState.FAILED, DtlsState.CONNECTING}


NOISY_SERVER = DtlsIdentity.generate([GCM])
NOISY_CLIENT = DtlsIdentity.generate([GCM])


def test_a_lost_flight_is_sent_again(ours: DtlsIdentity, theirs: DtlsIdentity) -> None:
    server, client = pair(ours, theirs)
    client.start()
    assert len(client.take_outgoing()) == 1
    delay = client.timeout()
    assert delay is not None
    assert 0 < delay <= 1
    client.handle_timeout()  # too early: nothing
    assert client.take_outgoing() == []
    assert server.timeout() is None


def test_who_lost_our_answer_and_asks_again_has_it_at_once(ours: DtlsIdentity, theirs: DtlsIdentity) -> None:
    server, client = pair(ours, theirs)
    client.start()
    (hello,) = client.take_outgoing()
    server.receive(hello)
    lost = server.take_outgoing()
    assert lost
    server.receive(hello)
    assert server.take_outgoing() == lost
    for datagram in lost:
        client.receive(datagram)
    server.receive(hello)  # one that was on its way
    exchange(server, client)
    assert (server.state, client.state) == (DtlsState.CONNECTED, DtlsState.CONNECTED)
    server.receive(hello)
    assert server.take_outgoing() == []


def test_goodbye_reaches_the_other_side(ours: DtlsIdentity, theirs: DtlsIdentity) -> None:
    server, client = pair(ours, theirs)
    exchange(server, client)
    client.close()
    for datagram in client.take_outgoing():
        server.receive(datagram)
    assert (server.state, client.state) == (DtlsState.CLOSED, DtlsState.CLOSED)
    server.receive(b"\x16 anything")
    assert server.take_outgoing() is not None
    assert server.state is DtlsState.CLOSED


def test_a_settled_association_says_goodbye_and_hears_nothing(
    ours: DtlsIdentity, theirs: DtlsIdentity
) -> None:
    server, client = pair(ours, theirs)
    server.settle()  # not connected yet: nothing
    exchange(server, client)
    version = server.version
    server.settle()
    server.settle()
    assert server.take_outgoing() == []
    assert (server.timeout(), server.version) == (None, version)
    server.handle_timeout()
    server.receive(b"\x16 anything")
    assert (server.state, server.take_outgoing()) == (DtlsState.CONNECTED, [])
    server.close()
    for datagram in server.take_outgoing():
        client.receive(datagram)
    assert (server.state, client.state) == (DtlsState.CLOSED, DtlsState.CLOSED)


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        (b"", [0]),
        (b"\x16\xfe\xfd" + bytes(8) + b"\x00\x02ab", [15]),
        ((b"\x16\xfe\xfd" + bytes(8) + b"\x02\x00" + bytes(512)) * 3, [1_050, 525]),
        (b"\x16\xfe\xfd" + bytes(8) + b"\x05\x00" + bytes(1_280), [1_293]),
        (b"\x16\xfe\xfd", [3]),
        (
            (b"\x2e" + b"\0\1" + b"\x00\xff" + bytes(255)) * 6,
            [1_040, 520],
        ),  # DTLS 1.3, 16-bit sequence and length
        (b"\x2a" + b"\0\1" + bytes(2_000), [2_003]),  # no length: reaches to the end
    ],
)
def test_datagrams_end_where_records_end(written: bytes, sizes: list[int]) -> None:
    datagrams = pack_datagrams(written)
    assert [len(datagram) for datagram in datagrams] == sizes
    assert b"".join(datagrams) == written


@given(st.binary(max_size=4_000))
def test_any_output_is_packed_whole(written: bytes) -> None:
    assert b"".join(pack_datagrams(written)) == written
