"""Encrypted connections to Milvus and Redis: real TLS in front of the embedded engines."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from helpers.connect import connect_milvus, connect_redis
from tests.services_world import refusal

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")


def certificate(folder, name, *, days=1):
    """A certificate that signs itself, for localhost and 127.0.0.1: (certificate, key) files."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(pem))
    files[1].write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return files


@pytest.fixture
def authority(tmp_path):
    return certificate(tmp_path, "ours")


def pump(source, target):
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def tls_before(path, files):
    """A port that speaks TLS and hands on what it hears to a Unix socket; gives its number."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                with contextlib.suppress(OSError):
                    outer = context.wrap_socket(raw, server_side=True)
                    inner = socket.socket(socket.AF_UNIX)
                    inner.connect(path)
                    for ends in ((outer, inner), (inner, outer)):
                        threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@pytest.fixture
def milvus(authority, monkeypatch):
    """Milvus Lite behind TLS: its address."""
    embedded = connect_milvus("image_search")
    path = embedded._config.uri.removeprefix("unix:")
    with tls_before(path, authority) as port:
        monkeypatch.setenv("MILVUS_URI", f"https://localhost:{port}")
        yield port


@pytest.fixture
def redis(authority):
    """An embedded Redis behind TLS: the port."""
    embedded = connect_redis("image_search")
    path = embedded.connection_pool.connection_kwargs["path"]
    with tls_before(path, authority) as port:
        yield port


def test_a_certificate_of_a_known_authority_is_taken(milvus, authority, monkeypatch, capsys):
    monkeypatch.setenv("MILVUS_CA", str(authority[0]))
    assert connect_milvus("image_search").list_collections() == []
    assert f"at localhost:{milvus}" in capsys.readouterr().out


def test_a_certificate_of_an_unknown_authority_is_named(milvus, monkeypatch):
    monkeypatch.delenv("MILVUS_CA", raising=False)
    sentence = refusal(connect_milvus, "image_search")
    assert f"localhost:{milvus} is not trusted" in sentence and "MILVUS_CA" in sentence


def test_the_certificate_of_another_authority_does_not_help(milvus, tmp_path, monkeypatch):
    monkeypatch.setenv("MILVUS_CA", str(certificate(tmp_path, "theirs")[0]))
    assert "is not trusted" in refusal(connect_milvus, "image_search")


def test_a_file_that_is_none_is_named(milvus, authority, tmp_path, monkeypatch):
    monkeypatch.setenv("MILVUS_CA", str(tmp_path / "none.pem"))
    assert "MILVUS_CA names no file" in refusal(connect_milvus, "image_search")
    monkeypatch.setenv("MILVUS_CA", str(authority[1]))  # the key
    assert "MILVUS_CA is no certificate" in refusal(connect_milvus, "image_search")


def test_a_certificate_that_has_run_out_is_named(tmp_path, monkeypatch):
    path = connect_milvus("image_search")._config.uri.removeprefix("unix:")
    old = certificate(tmp_path, "old", days=-1)
    with tls_before(path, old) as port:
        monkeypatch.setenv("MILVUS_URI", f"https://localhost:{port}")
        monkeypatch.setenv("MILVUS_CA", str(old[0]))
        assert "(certificate has expired)" in refusal(connect_milvus, "image_search")


def test_a_server_without_tls_is_told_from_one_that_does_not_answer(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        monkeypatch.setenv("MILVUS_URI", f"https://localhost:{listener.getsockname()[1]}")
        assert "speaks no TLS" in refusal(connect_milvus, "image_search")
    assert "No Milvus answers" in refusal(connect_milvus, "image_search")


def test_redis_over_tls(redis, authority, monkeypatch):
    address = f"rediss://localhost:{redis}/0"
    monkeypatch.setenv("REDIS_URL", f"{address}?ssl_ca_certs={authority[0]}")
    assert connect_redis("image_search").ping()
    monkeypatch.setenv("REDIS_URL", address)
    assert "is not trusted" in refusal(connect_redis, "image_search")
