"""`python -m ganglion` is the command `ganglion`."""

from ganglion.cli.main import run

if __name__ == "__main__":
    run()
