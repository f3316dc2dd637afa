"""Names that do not resolve, ports that speak no TLS, certificates that nobody vouches for: nothing is told to them."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from framework.cli.group import cli
from framework_simulator.simulation import Item, transport
from tests.faults.scene import ORDER, Theatre, rises, signal, turn, well

NOT_TO_BE_SEEN = "a-secret-that-nobody-must-see"
CONFIG = """
[framework]
state = "state"
[plugins]
load = ["{venue}", "signals", "filters", "sizing", "risk", "execution", "protection"]
[exchanges.{venue}]
use = "{venue}"
max_positions_per_wave = 1
api_key = {{ env = "ADDRESS_KEY" }}
api_secret = {{ env = "ADDRESS_SECRET" }}
base_url = "{url}"
stream_url = "{streams}"
request_timeout_s = "2"
[sizing]
use = "fixed-usd"
position_usd = "100"
[execution]
use = "market"
[[protection]]
use = "stop-loss"
percent = "2"
"""


# ── a server that is not what it should be ──────────────────────────────────────────────────────────────────────


@contextmanager
def server(tls: ssl.SSLContext | None) -> Iterator[tuple[int, bytearray]]:
    """Takes connections on a port of this machine, and answers any request with a line of text.

    With `tls` it speaks that. Answers its port and what it could read of requests.
    """
    heard = bytearray()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listening.accept()
            except OSError:
                return
            raw.settimeout(5)
            try:
                with raw if tls is None else tls.wrap_socket(raw, server_side=True) as peer:
                    heard.extend(peer.recv(65_536))
                    peer.sendall(b"this is another service\r\n")
            except OSError:
                raw.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def self_signed(directory: Path) -> ssl.SSLContext:
    """A server's certificate for this machine that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = directory / "server.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def check(directory: Path, venue: str, host: str) -> Result:
    """``framework check`` with the venue at an address that should speak TLS."""
    file = directory / "config.toml"
    file.write_text(CONFIG.format(venue=venue, url=f"https://{host}", streams=f"wss://{host}"), encoding="utf-8")
    environ = {"ADDRESS_KEY": "a-key-that-nobody-must-see", "ADDRESS_SECRET": NOT_TO_BE_SEEN}
    return CliRunner().invoke(cli, ["check", "--config", str(file)], prog_name="framework", env=environ)


def one_clear_line(result: Result, venue: str) -> str:
    """What `check` says of the venue: one line, no traceback, no secret."""
    told = result.stdout + result.stderr
    assert result.exit_code in (1, 3), told
    assert "Traceback" not in told
    assert "nobody-must-see" not in told
    (line,) = [line for line in told.splitlines() if venue in line and line.startswith("problem")]
    return line


def test_a_port_that_speaks_no_tls_is_told_in_one_line(venue: str, tmp_path: Path) -> None:
    with server(None) as (port, heard):
        line = one_clear_line(check(tmp_path, venue, f"127.0.0.1:{port}"), venue)

    assert f"127.0.0.1:{port}" in line or "ssl" in line.lower() or "no answer" in line.lower()
    assert heard  # it was asked, and heard the beginning of a handshake
    assert b"HTTP" not in heard


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_told(venue: str, tmp_path: Path) -> None:
    with server(self_signed(tmp_path)) as (port, heard):
        one_clear_line(check(tmp_path, venue, f"127.0.0.1:{port}"), venue)

    assert bytes(heard) == b""


def test_a_name_that_does_not_resolve_is_told_in_one_line(
    venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def unknown(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    one_clear_line(check(tmp_path, venue, "api.venue.invalid"), venue)

    assert set(asked) == {"api.venue.invalid"}


# ── the same while the product runs ─────────────────────────────────────────────────────────────────────────────

KEY = ConnectionKey("127.0.0.1", 1001, True, True, None, None, None)
FAILURES: dict[str, Exception] = {
    "DNS": aiohttp.ClientConnectorDNSError(
        KEY, socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    ),
    "TLS handshake": aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "[SSL] record layer failure")),
    "certificate": aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("certificate has expired")),
}


@pytest.mark.parametrize("how", FAILURES)
def test_names_or_certificates_that_fail_for_a_minute_are_survived(
    stage: Theatre, venue: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the position is open and its price runs; afterwards the stop follows."""
    monkeypatch.setattr(transport, "_refused", lambda url: FAILURES[how])
    cut = Item("partition", 20_000, 60_000, venue, {"stops": "all", "style": "refused"})

    seen = well(stage.play(venue, signal(venue), rises(venue), cut), protected=True)

    assert seen.met["partition-all"] == 1
    assert seen.triggers[0] > seen.stops[0]


@pytest.mark.parametrize("how", FAILURES)
def test_an_entry_that_finds_no_connection_was_not_sent(
    stage: Theatre, venue: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_refused", lambda url: FAILURES[how])
    no_connection = turn(venue, ORDER[venue], arrives=False, refused=True)

    seen = well(stage.play(venue, signal(venue), no_connection), protected=False)

    assert (seen.entries, seen.states[-1]) == ([], "aborted")
    assert seen.codes["outcome_unknown"] == 0
