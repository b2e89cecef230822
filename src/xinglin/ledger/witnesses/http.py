"""HTTP server and client of a witness: ``add-checkpoint`` of C2SP tlog-witness."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from xinglin.core.errors import Conflict, LedgerUnavailable, UsageError, VerificationFailed
from xinglin.ledger.proofs.note import Note
from xinglin.ledger.witnesses.witness import Refusal, Refused, Request, Witness

__all__ = ["ask_witness", "witness_server"]

_PATH = "/add-checkpoint"
_MOST = 1_000_000
_PATIENCE = 10.0
_SIZE = "text/x.tlog.size"
_NUMBER = re.compile(r"[0-9]{1,19}").fullmatch


def witness_server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """Create the HTTP server of a witness; start it with `serve_forever`.

    Args:
        witness: The witness, with its chains.
        host: Address to listen on. Without encryption: messages are signed and not secret.
        port: Port to listen on; 0 for any.
    """
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        timeout = _PATIENCE
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Handle ``add-checkpoint``; 404 for other paths."""
            length = self.headers.get("Content-Length", "")
            if self.path != _PATH or not _NUMBER(length) or int(length) > _MOST:
                self.close_connection = True
                self._say(404 if self.path != _PATH else 400, "")
                return
            content = self.rfile.read(int(length))
            try:
                with one_at_a_time:
                    note = witness.add(Request.parse(content.decode()))
            except Refused as refused:
                conflict = refused.reason is Refusal.CONFLICT
                self._say(refused.reason, f"{refused.size}\n" if conflict else f"{refused.what}\n", conflict)
            except (VerificationFailed, UnicodeDecodeError):
                self._say(400, "the request is not an add-checkpoint request\n")
            except Conflict:
                self._say(503, "")
            else:
                own = (
                    one for one in note.signatures if (one.name, one.key_id) == (witness.key.name, witness.key.key_id)
                )
                self._say(200, next(own).line())

        def _say(self, status: int, text: str, size: bool = False) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", _SIZE if size else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: which chains send requests is confidential."""

    return ThreadingHTTPServer((host, port), Handler)


def ask_witness(url: str, request: Callable[[int | None], Request]) -> Note:
    """Request a cosignature; retries once if the witness reports another log size.

    Args:
        url: The witness's submission prefix, ``http://HOST:PORT``.
        request: Creates the request from a log size; None for the last cosigned size.

    Returns:
        The checkpoint with the witness's signature line, which the caller verifies.

    Raises:
        LedgerUnavailable: The witness does not answer.
        Refused: The witness refuses to cosign.
    """
    wanted = request(None)
    status, text = _post(url, str(wanted))
    if status == Refusal.CONFLICT and _NUMBER(text.strip()) and int(text) != wanted.old:
        wanted = request(int(text))
        status, text = _post(url, str(wanted))
    if status == Refusal.CONFLICT:
        raise Refused(Refusal.CONFLICT, f"it cosigned another log of {text.strip()} entries", source=url)
    if status in set(Refusal):
        raise Refused(Refusal(status), text.strip() or "without a reason", source=url)
    if status != 200:
        raise LedgerUnavailable(f"the witness answers with status {status}", source=url, retry=True)
    return Note.parse(str(wanted.note) + text)


def _post(url: str, text: str) -> tuple[int, str]:
    place = urlsplit(url)
    if place.scheme not in {"http", "https"} or not place.hostname:
        raise UsageError(
            "the address of the witness is invalid", source=url, remedy="use http://HOST:PORT or https://HOST"
        )
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname, place.port, timeout=_PATIENCE)
    try:
        connection.request("POST", place.path.rstrip("/") + _PATH, text.encode())
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise LedgerUnavailable("the witness does not answer", source=url, retry=True) from error
    finally:
        connection.close()
