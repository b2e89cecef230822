"""Commands that need Spark: the SQL door for BI tools."""

from __future__ import annotations

from typing import Annotated

import typer

from xinglin.cli.app import Home, Json, Master, Purpose, command_group
from xinglin.cli.opening import opened
from xinglin.cli.show import print_json, say

__all__: list[str] = []

spark = command_group("spark", "Apache Spark: an SQL server for BI tools.")


@spark.command("thrift")
def thrift(
    master: Master = None,
    host: Annotated[str, typer.Option(help="Address to listen on. The server has no password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 10000,
    purpose: Purpose = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Answer SQL over the mart by HiveServer2's protocol until interrupted (JDBC, ODBC, beeline, impyla)."""
    import signal
    import threading

    from xinglin.admission.renewal import Standing
    from xinglin.flows.questions.bi_tables import show_mart
    from xinglin.wiring import open_door

    stores = opened("spark thrift", home, purpose=purpose)
    stores.lake.require("mart", "run: xinglin run")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with open_door(stores.settings, master, host, port) as door:
        url = f"jdbc:hive2://{host}:{port}"
        if as_json:
            print_json({"url": url})
        else:
            say(url)

        def shown(version: int) -> None:
            if as_json:
                print_json({"mart": version})
            else:
                say(f"shows version {version} of the mart")

        standing = Standing(stores, lambda: opened("spark thrift", home, purpose=purpose))
        show_mart(stores, door, lambda: stopped.wait(2.0), shown, standing.current)
