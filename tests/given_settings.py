"""The settings of a run that is given these words."""

from stylizer.app.cli import parse
from stylizer.app.run_settings import run_settings
from stylizer.settings import Settings


def settings(words: str = "") -> Settings:
    return run_settings(parse(["run", *words.split()]))
