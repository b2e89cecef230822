"""A storage SCP (DICOM PS3.4 annex B) and verification SCP (annex A): objects are kept as sent, never decoded."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from xinglin.core.errors import StorageError

__all__ = ["Arriving", "DicomLimits", "StorageServer"]

_SUCCESS, _OUT_OF_RESOURCES, _NO_DATA = 0x0000, 0xA700, 0xC000
_NUMBERS = count(1)


@dataclass(frozen=True)
class DicomLimits:
    """What one peer may do to a storage SCP.

    Args:
        ae_title: Title of this SCP.
        check_title: Whether a peer must call it by that title.
        callers: Titles that may call; all when empty.
        object_bytes: Largest object.
        pdu_bytes: Largest PDU.
        associations: Associations at once.
        idle_seconds: An association that says nothing for so long is ended.
        negotiation_seconds: A connection must have negotiated within this time.
    """

    ae_title: str = "XINGLIN"
    check_title: bool = False
    callers: tuple[str, ...] = ()
    object_bytes: int = 4_000_000_000
    pdu_bytes: int = 131_072
    associations: int = 50
    idle_seconds: float = 120
    negotiation_seconds: float = 15


class Arriving:
    """The file of an object that is being received; it never raises, and vanishes unless it was taken over.

    Where the disk refuses or the object grows too large, the rest is let go and `kept` is false: the SCP then answers
    "out of resources" instead of breaking the association.

    Args:
        path: Where the object is written.
        limit: Its largest size.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.name = str(path)
        self.kept = True
        self._room = limit
        try:
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            self.kept = False
        else:
            self._file = os.fdopen(self._handle, "wb", buffering=1_000_000)

    @property
    def file(self) -> Arriving:
        """The library flushes its temporary files through this attribute after every PDU."""
        return self

    def write(self, data: bytes) -> int:
        """Append."""
        self._room -= len(data)
        if self.kept and self._room < 0:
            self._give_up()
        if self.kept:
            try:
                self._file.write(data)
            except OSError:
                self._give_up()
        return len(data)

    def tell(self) -> int:
        """Where the next byte goes."""
        return self._file.tell() if self.kept else 0

    def flush(self) -> None:
        """Nothing: `close` writes what is still held."""

    def close(self) -> None:
        """Write what is still held."""
        if self.kept and not self._file.closed:
            try:
                self._file.close()
            except OSError:
                self._give_up()

    def _give_up(self) -> None:
        self.kept = False
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            Path(self.name).unlink(missing_ok=True)

    def __del__(self) -> None:
        if self.kept:
            self._give_up()


class StorageServer:
    """A storage and verification SCP for one site.

    Private and unknown SOP classes are taken like any other, in the transfer syntax that the peer names first.

    Args:
        take: Makes a received file durable and takes it away; raises `StorageError` where it cannot be kept.
        incoming: Folder for objects on their way, on the disk of the spool; all servers of a process share it.
        limits: What a peer may do.
        trouble: Told of an association's problem, in words without any value of an object.
    """

    def __init__(
        self, take: Callable[[Path], None], incoming: Path, limits: DicomLimits, trouble: Callable[[str], None]
    ) -> None:
        self.taken = self.sent_back = 0
        self._take = take
        self._limits = limits
        self._trouble = trouble
        self._server: Any = None
        self._counting = threading.Lock()
        incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        _receive_into(incoming, limits.object_bytes)

    def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen in threads; gives the port, for a `port` of 0 the one that was free.

        Raises:
            OSError: The port cannot be had.
        """
        from pynetdicom import AE, evt

        limits = self._limits
        ae = AE(ae_title=limits.ae_title)
        ae.add_supported_context("1.2.840.10008.1.1")
        ae.maximum_pdu_size = limits.pdu_bytes
        ae.maximum_associations = limits.associations
        ae.network_timeout = ae.dimse_timeout = limits.idle_seconds
        ae.acse_timeout = limits.negotiation_seconds
        ae.require_called_aet = limits.check_title
        ae.require_calling_aet = list(limits.callers)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DATA_SENT, _acknowledge_at_once),
            (evt.EVT_REJECTED, lambda event: self._say(event, "association refused: its titles or too many")),
            (evt.EVT_ABORTED, lambda event: self._say(event, "association aborted")),
        ]
        server_class = _server_class(tls, limits.negotiation_seconds, self._trouble)
        self._server = ae.make_server((host, port), evt_handlers=handlers, server_class=server_class)
        ae._servers.append(self._server)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return int(self._server.server_address[1])

    def stop(self, seconds: float = 5) -> None:
        """Accept nothing more; associations may end on their own for a while, then they are aborted."""
        if self._server is None:
            return
        self._server.shutdown()
        for association in self._server.active_associations:
            association.join(seconds)
            if association.is_alive():
                association.abort()

    def _store(self, event: Any) -> int:
        arriving = event.request._dataset_file
        if arriving is None:
            return _NO_DATA
        arriving.close()
        try:
            if not arriving.kept:
                raise StorageError("the object was not kept", source="C-STORE")
            self._take(Path(arriving.name))
        except StorageError:
            with self._counting:
                self.sent_back += 1
            return _OUT_OF_RESOURCES
        with self._counting:
            self.taken += 1
        return _SUCCESS

    def _say(self, event: Any, words: str) -> None:
        self._trouble(f"{event.assoc.requestor.address}: {words}")


def _acknowledge_at_once(event: Any) -> None:
    """A peer that sends an object in small writes waits for TCP's delayed acknowledgement, 40 ms an object."""
    connection = getattr(event.assoc.dul.socket, "socket", None)
    if connection is not None and hasattr(socket, "TCP_QUICKACK"):
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _receive_into(incoming: Path, limit: int) -> None:
    """Let the library write what arrives to files in a folder of ours instead of to memory.

    It takes the file for each object from `NamedTemporaryFile`, by its name in one module. With a file of ours in that
    place memory stays bounded, the object can be renamed into the spool, and a full disk becomes a status.
    """
    from pynetdicom import _config, dimse_messages

    module: Any = dimse_messages
    _config.STORE_RECV_CHUNKED_DATASET = True
    _config.UNRESTRICTED_STORAGE_SERVICE = True
    _config.LOG_HANDLER_LEVEL = "none"
    module.NamedTemporaryFile = lambda **_: Arriving(incoming / f"{next(_NUMBERS)}.dcm", limit)


def _server_class(tls: ssl.SSLContext | None, seconds: float, trouble: Callable[[str], None]) -> Any:
    """The library's threaded server, with the TLS handshake in the connection's thread instead of the accepting one."""
    from pynetdicom.transport import ThreadedAssociationServer

    class Server(ThreadedAssociationServer):
        request_queue_size = 64
        daemon_threads = True

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                if tls is not None:
                    request.settimeout(seconds)
                    request = tls.wrap_socket(request, server_side=True)
                    request.settimeout(None)
                self.finish_request(request, client_address)
            except OSError as error:
                trouble(f"{client_address[0]}: no connection came about ({type(error).__name__})")
                self.shutdown_request(request)

        def handle_error(self, request: Any, client_address: Any) -> None:
            trouble(f"{client_address[0]}: the connection failed")

    return Server
