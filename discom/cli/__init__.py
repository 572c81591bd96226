"""`discom …`: runs one command, and says in one line what went wrong."""

import logging
import signal
import sys
import warnings
from collections.abc import Sequence
from io import TextIOWrapper

import click

from discom import __version__
from discom.cli import data
from discom.cli.commands import advise, export, predict, show, table, train
from discom.errors import DiscomError, say, say_warnings_once

HELP = {"help_option_names": ["-h", "--help"], "show_default": True}
sets = [data.prepare, data.check, data.show]
of_data = click.Group("data", sets, help="Prepare, check and show data sets.")
ALL = [of_data, advise, train, table, show, export, predict]
about = "Run the tutorial's experiments. --debug shows where an error is from."
group = click.Group("discom", ALL, help=about, context_settings=HELP)
click.version_option(__version__, message="discom %(version)s")(group)


def main(arguments: Sequence[str] | None = None, command: click.Command = group) -> int:
    """Run one command; the words of the process by default.

    Returns:
        The exit status: 0 done, 1 some runs failed, 2 the input is wrong, 130 interrupted and
        resumable.
    """
    if arguments is None:
        arguments = sys.argv[1:]
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, it ends workers, too
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a notebook's is none
            stream.reconfigure(errors="backslashreplace")  # a letter that the locale lacks
    words = [word for word in arguments if word != "--debug"]
    quiet = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # libraries, which log for developers; ours are warnings
    try:
        if "" in words:  # of an unset variable
            raise click.UsageError("An argument is empty: give it a value, or leave it out")
        with warnings.catch_warnings():
            warnings.showwarning = say_warnings_once()
            done = command.main(words, command.name, standalone_mode=False)
            return 1 if done is False else 0
    except click.exceptions.NoArgsIsHelpError as help_text:  # `discom` and `discom data`
        click.echo(help_text)
        return 0
    except click.Abort:  # of Ctrl-C
        say("interrupted; the same command goes on")
        return 130
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "discom"
        say(f"error: {error.format_message().rstrip('.')}. See {path} --help.")
        return 2
    except (DiscomError, OSError) as error:  # what a person can put right
        if "--debug" in arguments:
            raise
        say(f"error: {error}")
        return 2
    finally:
        logging.disable(quiet)
