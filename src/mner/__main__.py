"""``python -m mner``: the command, where its script is not on the path."""

from mner.cli import app

if __name__ == "__main__":
    app(prog_name="mner")
