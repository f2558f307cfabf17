"""Where a request may go, and that it goes there and nowhere else."""

import ipaddress
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import web
from assistant.errors import FetchError
from assistant.fetch import Fetcher, FetchLimits
from assistant.fetch.addresses import is_public, resolve
from assistant.fetch.network import CutError, Network, _Backend, _Pace
from assistant.fetch.session import _target
from web import PDF, Web

QUICK = FetchLimits(seconds=3.0, connect_seconds=1.0, silent_seconds=0.5, backoff_seconds=0.01)


@pytest.fixture
def site() -> Iterator[Web]:
    with Web() as site:
        yield site


class TestAddresses:
    @pytest.mark.parametrize(
        "address", ["151.101.3.42", "8.8.8.8", "2a04:4e42::81", "64:ff9b::808:808"]
    )
    def test_of_the_internet_are_public(self, address: str):
        assert is_public(address)

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1",
            "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1",
            "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::",
            "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "::7f00:1", "100::1", "nonsense", "",
        ],
    )  # fmt: skip
    def test_of_other_networks_are_not(self, address: str):
        assert not is_public(address)

    @given(st.ip_addresses(v=4))
    def test_are_no_more_public_when_wrapped(self, address: ipaddress.IPv4Address):
        wrapped = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)

        assert is_public(str(wrapped)) == is_public(str(address))
        assert not (is_public(str(address)) and address.is_private)

    def test_of_an_unknown_host_are_an_error(self):
        with pytest.raises(FetchError, match="paper.invalid cannot be found"):
            resolve("paper.invalid", 443)


class TestConnections:
    def test_go_to_the_address_that_was_checked(self, site: Web):
        """A name that by now resolves to something else does not matter, nor that it does at all."""
        site.on("/a.pdf", web.pdf())
        backend = _Backend(["127.0.0.1"], _Pace("paper.example", QUICK))

        with httpcore.ConnectionPool(network_backend=backend) as pool:
            response = pool.request("GET", f"http://paper.example:{site.port}/a.pdf")

        assert response.content == PDF
        assert site.requests[0].headers["host"] == f"paper.example:{site.port}"

    def test_try_every_address(self, site: Web):
        site.on("/a.pdf", web.pdf())
        backend = _Backend(["127.0.0.2", "127.0.0.1"], _Pace("paper.example", QUICK))

        with httpcore.ConnectionPool(network_backend=backend) as pool:
            assert pool.request("GET", f"http://paper.example:{site.port}/a.pdf").status == 200

    @given(junk=st.binary(max_size=200))
    def test_no_answer_raises_anything_else(self, junk: bytes, shared_site: Web):
        start = [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"]
        network = Network(allow_hosts=["127.0.0.1"], user_agent="test", limits=QUICK)
        for number, beginning in enumerate(start):
            url = httpx.URL(shared_site.on(f"/{number}", web.raw(beginning + junk)))
            with suppress(FetchError, CutError), network.get(url, {}) as response:
                b"".join(response.body)

    @given(location=st.text(max_size=100))
    def test_no_redirect_raises_anything_else(self, location: str):
        with suppress(FetchError):
            assert _target(httpx.URL("http://paper.example/"), location).scheme in {"http", "https"}


@pytest.fixture(scope="module")
def shared_site() -> Iterator[Web]:
    with Web() as site:
        yield site


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")
class TestCertificates:
    @pytest.fixture
    def secure_site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
        """A site whose certificate is for localhost, as made by an authority we trust."""
        key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
        command = (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        )
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with Web(tls=tls) as site:
            yield site

    def test_are_checked_against_the_name_not_the_address(self, secure_site: Web, tmp_path: Path):
        secure_site.on("/a.pdf", web.pdf())
        allowed = ["localhost", "127.0.0.1"]
        fetcher = Fetcher(
            tmp_path / "pdfs", contact=None, allow_hosts=allowed, interval=0.0, limits=QUICK
        )

        assert fetcher.pdf(f"https://localhost:{secure_site.port}/a.pdf").path.read_bytes() == PDF
        with pytest.raises(FetchError, match="its certificate is not valid"):
            fetcher.pdf(f"{secure_site.url}/a.pdf")
