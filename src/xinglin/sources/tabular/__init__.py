"""Tables - CSV, Excel, Parquet, databases - read by a mapping file."""

from xinglin.sources.tabular.cut import cut, recognises
from xinglin.sources.tabular.database import is_database_url
from xinglin.sources.tabular.load import load_mapping, read_mapping
from xinglin.sources.tabular.pull import Pulled, pull
from xinglin.sources.tabular.records import records

__all__ = ["Pulled", "cut", "is_database_url", "load_mapping", "pull", "read_mapping", "recognises", "records"]
