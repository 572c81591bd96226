"""What each `discom …` command does; cli.py makes the command line of them."""

from discom.commands.deploy import export, predict
from discom.commands.many import grid, probe, table
from discom.commands.sets import check, listing, picture, prepare
from discom.commands.single import reproduce, show, train

__all__ = ["check", "export", "grid", "listing", "picture", "predict", "prepare", "probe", "reproduce", "show",
           "table", "train"]  # fmt: skip
