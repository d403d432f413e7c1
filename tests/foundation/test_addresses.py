"""Which targets outgoing requests may have."""

import ipaddress

import pytest

from foundation.http.addresses import check_address, check_target
from foundation.http.errors import OutgoingRefused

HOSTILE_ADDRESSES = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
HOSTILE_URLS = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "//example.com/",
    "example.com",
    "",
    "https://",
    "https:///path",
    "https://example.com:22/",
    "https://example.com:80/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://0/",
    "https://127.0.0.1./",
    "https://1.2.3/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://127.0.0.1%2f@example.com/",
    "https://exa mple.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com\r\nHost:evil/",
    "https://example.com\t/",
    "https://-example.com/",
    "https://example..com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://" + "a" * 300 + ".com/",
    "https://example.com/" + "a" * 3000,
]


class TestCheckAddress:
    @pytest.mark.parametrize("text", HOSTILE_ADDRESSES)
    def test_refuses_what_is_not_public(self, text: str) -> None:
        with pytest.raises(OutgoingRefused):
            check_address(ipaddress.ip_address(text), internal=False)

    @pytest.mark.parametrize("text", ["8.8.8.8", "93.184.216.34", "100.63.255.255", "172.32.0.1", "2606:4700::1111"])
    def test_lets_public_addresses_pass(self, text: str) -> None:
        check_address(ipaddress.ip_address(text), internal=False)

    @pytest.mark.parametrize("text", ["10.0.0.1", "127.0.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"])
    def test_lets_internal_addresses_pass_where_they_are_allowed(self, text: str) -> None:
        check_address(ipaddress.ip_address(text), internal=True)

    @pytest.mark.parametrize(
        "text",
        ["169.254.169.254", "0.0.0.0", "100.100.100.200", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1"],  # noqa: S104
    )
    def test_never_lets_metadata_and_carriers_pass(self, text: str) -> None:
        with pytest.raises(OutgoingRefused):
            check_address(ipaddress.ip_address(text), internal=True)


class TestCheckTarget:
    @pytest.mark.parametrize("url", HOSTILE_URLS)
    def test_refuses_what_is_not_a_public_https_target(self, url: str) -> None:
        with pytest.raises(OutgoingRefused, match=r"\.$"):
            check_target(url)

    @pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
    def test_refuses_hostile_addresses_as_hosts(self, address: str) -> None:
        host = f"[{address}]" if ":" in address else address

        with pytest.raises(OutgoingRefused):
            check_target(f"https://{host}/")

    @pytest.mark.parametrize(
        ("url", "host", "port"),
        [
            ("https://example.com/hooks?a=b", "example.com", 443),
            ("https://EXAMPLE.com.:8443/", "example.com", 8443),
            ("https://bücher.example/", "xn--bcher-kva.example", 443),
            ("https://93.184.216.34/", "93.184.216.34", 443),
            ("https://[2606:4700::1111]/", "2606:4700::1111", 443),
        ],
    )
    def test_answers_what_is_connected_to(self, url: str, host: str, port: int) -> None:
        target = check_target(url)

        assert (target.host, target.port, target.internal) == (host, port, False)

    def test_allows_plain_http_to_a_named_internal_host_and_port(self) -> None:
        target = check_target("http://licenses.local:9000/x", allowed_internal=["Licenses.local:9000"])

        assert target.internal

    def test_allows_nothing_else_on_that_host(self) -> None:
        with pytest.raises(OutgoingRefused):
            check_target("http://licenses.local:9001/x", allowed_internal=["licenses.local:9000"])

    def test_allows_an_internal_ipv6_address(self) -> None:
        assert check_target("http://[::1]:9000/", allowed_internal=["[::1]:9000"]).internal
