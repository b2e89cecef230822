"""Run the command line as ``python -m xinglin``."""

from xinglin.cli import main

if __name__ == "__main__":
    main()
