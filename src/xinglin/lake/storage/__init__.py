"""Where the lake's bytes lie: a folder, HDFS or an object store, behind one port.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> storage = open_storage(tempfile.mkdtemp())
    >>> token = storage.replace("mart/_snapshot.json", b"{}", None)
    >>> storage.read("mart/_snapshot.json").data
    b'{}'
    >>> token == storage.read("mart/_snapshot.json").token
    True
"""

from xinglin.lake.storage.bounded import bounded
from xinglin.lake.storage.choose import Local, open_storage
from xinglin.lake.storage.persist import persist
from xinglin.lake.storage.port import Content, Storage, Stored

__all__ = ["Content", "Local", "Storage", "Stored", "bounded", "open_storage", "persist"]
