"""What a person can put right: one class per kind, each message one line with the place, the value
and the way out."""

__all__ = [
    "BusyError",
    "ConfigError",
    "CrashError",
    "DataError",
    "DiscomError",
    "Interrupted",
    "RunError",
    "UnsuitableError",
    "first_line",
]


class DiscomError(ValueError):
    """Base of every error that the input caused; the command line prints it without a traceback
    (status 2)."""

    agreed = False  # whether every process of a run on several devices raises it, so that the first alone tells


class DataError(DiscomError):
    """A file, a folder or an array that cannot be used as it is."""


class UnsuitableError(DataError):
    """Sound data that lack what a notebook rests on, such as the known factors of drawn scenes."""


class ConfigError(DiscomError):
    """A setting out of its range, or a name that nobody registered."""


class RunError(DiscomError):
    """A run folder that belongs to something else, or a training that left the finite numbers."""


class BusyError(RunError):
    """A run that another process is training at this moment."""


class CrashError(RunError):
    """A run that an exception of a library ended, such as one for want of memory; its process
    trains no other run."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM during a training; the message says how to resume."""


def first_line(error: BaseException) -> str:
    """What a library's exception says, on one line; its name where it says nothing.

    >>> first_line(OSError("no space\\nleft")), first_line(KeyError())
    ('no space', 'KeyError')
    """
    return (str(error) or type(error).__name__).splitlines()[0]
