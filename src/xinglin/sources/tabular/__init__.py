"""Tables - CSV, Excel, Parquet, databases - read by a mapping file."""

from xinglin.sources.tabular.cut import cut, recognises
from xinglin.sources.tabular.load import load_mapping, read_mapping
from xinglin.sources.tabular.records import records

__all__ = ["cut", "load_mapping", "read_mapping", "recognises", "records"]
