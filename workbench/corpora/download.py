"""One file from an https address, with a limit on its size and on patience."""

from __future__ import annotations

import os
from typing import BinaryIO

from workbench.errors import InputError

#: Set to 1 to forbid every download.
OFFLINE_VARIABLE = "WORKBENCH_OFFLINE"
LIMIT_BYTES = 2_000_000_000
TIMEOUT_SECONDS = 30.0
CHUNK_BYTES = 1 << 20


def download(url: str, target: BinaryIO, limit: int = LIMIT_BYTES) -> None:
    """Write the bytes at `url` to `target`; InputError when offline, not https (redirects included), unreachable or larger than `limit`."""
    asked = f"download {url}"
    if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0"):
        raise InputError(asked, f"{OFFLINE_VARIABLE} is set", f"unset {OFFLINE_VARIABLE}, or use a local mirror (WORKBENCH_MIRROR)")
    if not url.startswith("https://"):
        raise InputError(asked, "an address that is not https", "declare the https address")
    import urllib.error  # both take a moment, and most corpora are at hand
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            if not response.url.startswith("https://"):
                raise InputError(asked, f"a redirect to {response.url}", "declare an https address that stays https")
            received = 0
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                if received > limit:
                    raise InputError(asked, f"more than {limit:,} bytes", "fetch the file by hand into the local mirror (WORKBENCH_MIRROR)")
                target.write(chunk)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(asked, f"{reason}", "check the connection, or use a local mirror (WORKBENCH_MIRROR)", retryable=True) from None
