"""What a person can put right: one class per kind, each message one line with the place, the value
and the way out."""

import errno

__all__ = [
    "BusyError",
    "ConfigError",
    "CrashError",
    "DataError",
    "DiscomError",
    "Interrupted",
    "RunError",
    "UnsuitableError",
    "explain",
    "first_line",
]


class DiscomError(ValueError):
    """Base of every error that the input caused; the command line prints it without a traceback
    (status 2)."""


class DataError(DiscomError):
    """A file, a folder or an array that cannot be used as it is."""


class UnsuitableError(DataError):
    """Sound data that lack what a notebook needs, such as the known factors of synthetic scenes."""


class ConfigError(DiscomError):
    """A setting out of its range, or a name that nobody registered."""


class RunError(DiscomError):
    """A run folder that belongs to something else, or a training whose loss is no longer finite."""


class BusyError(RunError):
    """A run that another process is training at this moment."""


class CrashError(RunError):
    """A run that an exception of a library ended, such as one for want of memory."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM during a training; the message says how to resume."""


WAYS_OUT = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room, or ask for a larger quota",
    errno.EFBIG: "choose a file system without this limit",
    errno.EROFS: "choose another place",
    errno.EACCES: "check the rights, or choose another place",
    errno.EPERM: "check the rights, or choose another place",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "check the path",
    errno.EMFILE: "allow more open files (ulimit -n)",
}


def explain(error: OSError, place: object = "") -> str:
    """One line for an error of the file system: the file, the reason, and the way out.

    Args:
        error: what was raised.
        place: named where the error names no file.

    >>> explain(PermissionError(errno.EACCES, "Permission denied", "runs/a"))
    'runs/a: Permission denied; check the rights, or choose another place'
    """
    place = error.filename or place
    reason = " ".join((error.strerror or first_line(error)).split())
    way_out = WAYS_OUT.get(error.errno or 0, "")
    return (f"{place}: " if place else "") + reason + (f"; {way_out}" if way_out else "")


def first_line(error: BaseException) -> str:
    """What a library's exception says, on one line; its name where it says nothing.

    >>> first_line(OSError("no space\\nleft")), first_line(KeyError())
    ('no space', 'KeyError')
    """
    return (str(error) or type(error).__name__).splitlines()[0]
