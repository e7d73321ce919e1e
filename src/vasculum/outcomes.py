"""The closed list of what can come of getting, decoding or processing one image.

A row of `images/` and of `results/` has exactly one status. Nothing else may stand in a status column.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What came of one image. The value is what stands in the files."""

    OK = "ok"
    # fetching
    NOT_FOUND = "not_found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    SERVER_ERROR = "server_error"
    HTTP_ERROR = "http_error"
    PROTOCOL_ERROR = "protocol_error"
    BLOCKED_PAGE = "blocked_page"
    REDIRECT_LOOP = "redirect_loop"
    TOO_LARGE = "too_large"
    ROBOTS = "robots"
    BLOCKED_ADDRESS = "blocked_address"
    BAD_URL = "bad_url"
    HASH_MISMATCH = "hash_mismatch"
    PLACEHOLDER = "placeholder"
    NO_ACCESS_URI = "no_access_uri"
    DROPPED = "dropped"
    # bytes
    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    UNSUPPORTED = "unsupported"
    # processing
    NOT_FETCHED = "not_fetched"
    PROCESSOR_ERROR = "processor_error"
    BAD_OUTPUT = "bad_output"
    KILLED = "killed"
    TIMED_OUT = "timed_out"

    @property
    def transient(self) -> bool:
        """True where trying the same again later may end otherwise."""
        return self in TRANSIENT

    @property
    def meaning(self) -> str:
        """One clause for a person."""
        return MEANINGS[self]


TRANSIENT = frozenset({
    Status.RATE_LIMITED, Status.TIMEOUT, Status.DNS, Status.CONNECTION, Status.SERVER_ERROR,
    Status.PROTOCOL_ERROR, Status.PLACEHOLDER, Status.NOT_FETCHED, Status.KILLED, Status.TIMED_OUT,
})  # fmt: skip

MEANINGS: dict[Status, str] = {
    Status.OK: "all went well",
    Status.NOT_FOUND: "the file or address does not exist",
    Status.GONE: "the server says it was removed",
    Status.FORBIDDEN: "reading it is not allowed",
    Status.RATE_LIMITED: "the server asked for fewer requests",
    Status.TIMEOUT: "no answer in time",
    Status.DNS: "the host name has no address",
    Status.CONNECTION: "the connection failed or broke",
    Status.TLS: "the certificate or encryption was refused",
    Status.SERVER_ERROR: "the server failed",
    Status.HTTP_ERROR: "the server answered with another error code",
    Status.PROTOCOL_ERROR: "the answer broke the protocol",
    Status.BLOCKED_PAGE: "a consent or denial page came in place of the image",
    Status.REDIRECT_LOOP: "the redirects never end",
    Status.TOO_LARGE: "larger than the limit",
    Status.ROBOTS: "robots.txt asks not to",
    Status.BLOCKED_ADDRESS: "the address is private or reserved",
    Status.BAD_URL: "not an address that can be fetched",
    Status.HASH_MISMATCH: "the bytes are not the ones that were published or seen before",
    Status.PLACEHOLDER: "a stand-in picture came in place of the image",
    Status.NO_ACCESS_URI: "the record has no address of an image",
    Status.DROPPED: "taken down",
    Status.EMPTY: "zero bytes",
    Status.NOT_AN_IMAGE: "the bytes are something else",
    Status.TRUNCATED: "the image ends too early",
    Status.CORRUPT: "the image is damaged",
    Status.UNSUPPORTED: "an image of a kind that this installation cannot decode",
    Status.NOT_FETCHED: "its bytes are not in the corpus yet",
    Status.PROCESSOR_ERROR: "the processor raised an error",
    Status.BAD_OUTPUT: "the processor returned something other than it promised",
    Status.KILLED: "the process that worked on it died or needed too much memory",
    Status.TIMED_OUT: "the processor took longer than its limit",
}
