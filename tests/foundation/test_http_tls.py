"""The guarded client over TLS: the name goes into handshake and Host header, the socket to the checked address."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import transaction

from foundation.http import client
from foundation.http.client import send
from foundation.http.errors import OutgoingFailed

NAME = "target.test"


class Server:
    def __init__(self, certificate: Path) -> None:
        self.names: list[str | None] = []
        self.heads: list[bytes] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.answer_one, args=(context,), daemon=True)
        self.thread.start()

    def answer_one(self, context: ssl.SSLContext) -> None:
        plain, _ = self.listening.accept()
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as stream:
                    self.heads.append(stream.recv(65536))
                    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except ssl.SSLError:
                return


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server(loopback: None, certificate: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    running = Server(certificate)
    settings.HTTP_ALLOWED_INTERNAL_HOSTS = [f"{NAME}:{running.port}", f"other.test:{running.port}"]
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(client, "_tls", lambda: context)
    yield running
    running.listening.close()
    running.thread.join(timeout=5)


class TestSend:
    def test_names_the_host_in_handshake_and_header(self, server: Server) -> None:
        answer = send(method="GET", url=f"https://{NAME}:{server.port}/", resolver=lambda host, port: ["127.0.0.1"])

        assert (answer.status, answer.body) == (200, b"ok")
        assert server.names == [NAME]
        assert f"Host: {NAME}:{server.port}".encode() in server.heads[0]

    def test_does_not_trust_the_certificate_of_another_name(self, server: Server) -> None:
        with pytest.raises(OutgoingFailed):
            send(method="GET", url=f"https://other.test:{server.port}/", resolver=lambda host, port: ["127.0.0.1"])

        assert server.heads == []

    def test_connects_to_an_ipv6_address_as_it_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Any] = []

        def record(address: Any, *args: Any, **kwargs: Any) -> socket.socket:
            asked.append((ipaddress.ip_address(address[0]), address[1]))
            raise ConnectionRefusedError

        monkeypatch.setattr(socket, "create_connection", record)

        with pytest.raises(OutgoingFailed):
            send(method="GET", url="https://[2606:4700::1111]/", resolver=lambda host, port: [host])

        assert asked == [(ipaddress.ip_address("2606:4700::1111"), 443)]

    @pytest.mark.django_db(transaction=True)
    def test_refuses_to_hold_a_transaction_open(self) -> None:
        with pytest.raises(RuntimeError, match="Write an outbox message"), transaction.atomic():
            send(method="GET", url="https://example.com/")
