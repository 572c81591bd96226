"""Commands made of functions: what they take is read from the annotations of their parameters."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import click

from discom.config import FIELDS, as_type
from discom.errors import first_line

SETTINGS = [name for name in FIELDS if name not in ("seed", "dense", "options")]


def command(call: Callable) -> click.Command:
    """A function as a command: parameters without a default are its arguments, a tuple the last
    ones; others are flags, of a tuple one that may be repeated. Their annotation is
    `Annotated[kind, help]`, or `Annotated[kind, what reads it, help]`. `**settings` stands for
    `--profile`, which is `name`, and a flag of each of SETTINGS; it holds those that were given."""
    parameters: list[click.Parameter] = []
    for name, parameter in inspect.signature(call).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            parameters.append(click.Option(["--profile", "name"], default="cpu", help=PROFILE))
            for setting in SETTINGS:
                kind, about = FIELDS[setting].annotation, FIELDS[setting].description
                parameters.append(_flag(setting, Annotated[kind, about], None))
        elif parameter.default is parameter.empty:
            kinds, number = get_args(parameter.annotation), 1
            reads: Any = click.Choice(kinds) if kinds else parameter.annotation
            if get_origin(parameter.annotation) is tuple:
                reads, number = kinds[0], -1
            parameters.append(click.Argument([name], required=True, type=reads, nargs=number))
        else:
            parameters.append(_flag(name, parameter.annotation, parameter.default))

    def called(**values: Any) -> Any:
        return call(**{k: v for k, v in values.items() if k not in SETTINGS or v is not None})

    how: dict[str, Any] = {"help": call.__doc__, "context_settings": {"allow_extra_args": True}}
    return _Command(call.__name__, callback=called, params=parameters, **how)


class _Command(click.Command):
    """A command that says how data are named where a word is left over, and refuses a second value
    of a flag, which would replace the first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = self.make_parser(ctx).parse_args([*args])[2]
        for each in {*given}:
            once = isinstance(each, click.Option) and not (each.multiple or each.is_flag)
            if once and given.count(each) > 1:
                raise click.UsageError(f"{each.opts[0]} is given twice: give one value", ctx)
        if left := super().parse_args(ctx, args):
            by_flag = any("--data" in each.opts for each in self.params)
            advice = f"; data are named by --data {left[0]}" if by_flag else ""
            raise click.UsageError(f"'{left[0]}' is one argument too many{advice}", ctx)
        return left


def _flag(name: str, annotation: Any, default: Any) -> click.Option:
    kind, *reads, about = get_args(annotation)
    if get_origin(kind) is Literal:
        reads = [click.Choice(get_args(kind))]
    flags, shown = [f"--{name.replace('_', '-')}"], default not in ("", "{}", None, ())
    how: dict[str, Any] = {"default": default, "is_flag": default is False, "show_default": shown}
    if many := get_origin(kind) is tuple:  # given again and again, as -p a=1 -p b=2
        flags, reads = [*flags, f"-{name[0]}"], [*reads, get_args(kind)[0]]
    return click.Option(flags, type=[kind, *reads][-1], help=about, multiple=many, **how)


def json_text(text: str) -> dict[str, Any]:
    """What reads `--options`."""
    from discom.files import parse_json  # it takes time, and help does without

    try:
        return as_type("it", parse_json(text), dict)
    except ValueError as error:  # also a ConfigError, of a list
        found = f"{text} is no JSON object ({first_line(error)})"
        raise click.BadParameter(f"{found}; write '{{\"name\": value}}'") from None


def names(text: str, separator: str = ",") -> list[str]:
    """What reads a list such as `student,discom`; where nothing is given it is empty."""
    found = [name.strip() for name in text.split(separator)] if text else []
    if not all(found):
        example = separator.join(["first", "second"])
        raise click.BadParameter(f"'{text}' lacks a name; write it as {example}")
    return found


def sensors(text: str) -> str:
    """What reads `--modalities`."""
    return "+".join(names(text, "+"))


def numbers(text: str) -> list[float]:
    """What reads a list of numbers, such as `0.5,1`."""
    from discom.files import parse_json  # it takes time, and help does without

    try:
        return [as_type("number", parse_json(word), int | float) for word in names(text)]
    except ValueError:  # also a ConfigError, of what is no number
        raise click.BadParameter(f"'{text}' is no list of numbers; write it as 1,2") from None


PROFILE = "Of all settings: tiny, cpu, finetune or paper."
Data = Annotated[str, "Name or folder  [default: objects, or scenes-dense]"]
Modalities = Annotated[str, sensors, "Sensors in this order: rgb+depth  [default: all]"]
Seed = Annotated[int, click.IntRange(0, 2**32 - 1), "Of the split, weights and batches."]
Runs = Annotated[Path, "Folder of all runs."]
Workers = Annotated[int, click.IntRange(0), "Runs side by side; 0: one a core."]
Overwrite = Annotated[bool, "Replace what this command wrote there."]
