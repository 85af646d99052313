"""Writes docs/reference from the declarations that the program itself runs on: `make reference`.

A test compares the pages with what this writes, so they cannot drift.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import click
import msgspec

from stanchion import client, errors, limits
from stanchion.actions import ACTIONS, Action, Shape
from stanchion.cli.main import main as command_line
from stanchion.settings import SETTINGS, Setting

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; do not edit. -->\n\n"


def pages() -> dict[str, str]:
    """File names in docs/reference, and what is in them."""
    return {
        "settings.md": NOTE + settings(),
        "actions.md": NOTE + actions(),
        "commands.md": NOTE + commands(),
        "client.md": NOTE + python_client(),
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)


def table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---" for _ in headings], *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────


def settings() -> str:
    rows = [[f"`{flags(each)}`", f"`{each.variable}`", shown(each), each.help] for each in SETTINGS]
    return (
        "# Settings\n\n"
        "Each is a flag of `stanchion serve`, an environment variable, and a key of `stanchion.toml` (the flag's "
        "name without the dashes in front). A flag wins over the environment, the environment over the file. Lists "
        "have commas between their members; switches are `true` or `false`.\n\n"
        + table(["flag", "environment", "default", "meaning"], rows)
        + "\n## Declared queues\n\n"
        "The file may have any number of tables `[[queues]]` with `name`, `attributes` and `tags` (and `account` and "
        "`region`, when they are not the server's own). Such queues are made at the start and after SIGHUP, and "
        "their attributes set; queues that the file does not name are left alone.\n"
    )


def flags(setting: Setting) -> str:
    return f"{setting.flag}, --no-{setting.key}" if setting.is_switch else f"{setting.flag} {setting.metavar}"


def shown(setting: Setting) -> str:
    default = setting.default
    if default is None or default in ("", ()):
        return ""
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"`{default}`"


# ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────


def actions() -> str:
    return (
        f"# Actions\n\nAll {len(ACTIONS)} actions of SQS, in both protocols: AWS JSON 1.0 (`X-Amz-Target: "
        "AmazonSQS.NAME`) and AWS Query (`Action=NAME`, answers in XML). Lists and maps are numbered in Query: "
        "`Attribute.1.Name`. Beside the errors of an action, any may answer those at the end of this page.\n\n"
        + "".join(map(action_section, ACTIONS.values()))
        + common_errors()
        + numbers()
    )


def action_section(action: Action) -> str:
    who = "the owner only" if action.owner_only else "the owner, and whom the queue's policy allows"
    facts = [f"Permission `sqs:{action.permission}`; {who}."]
    if action.errors:
        facts.append(f"Errors: {', '.join(f'`{each}`' for each in action.errors)}.")
    answer = members(action.output) if action.output else "Nothing.\n"
    return (
        f"## {action.name}\n\n{action.summary}\n\n{' '.join(facts)}\n\n"
        f"Takes:\n\n{members(action.input)}\nAnswers:\n\n{answer}\n"
    )


def members(shape: type[Shape]) -> str:
    hints = get_type_hints(shape)
    rows = [[f"`{each.encode_name}`", kind(hints[each.name])] for each in msgspec.structs.fields(shape)]
    return table(["member", "type"], rows) if rows else "Nothing.\n"


def kind(hint: Any) -> str:
    arguments = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is list:
        return f"list of {kind(arguments[0])}"
    if get_origin(hint) is dict:
        return f"map of {kind(arguments[0])} to {kind(arguments[1])}"
    if arguments:
        return kind(arguments[0])
    return {str: "text", int: "number", bool: "boolean", bytes: "bytes (Base64)"}.get(hint, f"`{hint.__name__}`")


def common_errors() -> str:
    rows = [
        [f"`{each.shape}`", f"`{each.code}`", str(each.status)]
        for each in sorted(subclasses(errors.SQSError), key=lambda each: each.shape)
        if each.__module__ == errors.__name__ and each.shape and each is not errors.CoralError
    ]
    return (
        "## Errors\n\nJSON clients see the shape in `__type` (and the code in `x-amzn-query-error`, for the errors "
        "of SQS itself), Query clients the code in `<Code>`.\n\n"
        + table(["shape", "code", "HTTP status"], rows)
        + "\n"
    )


def subclasses(kind: type[errors.SQSError]) -> Iterator[type[errors.SQSError]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


def numbers() -> str:
    names = [name for name in vars(limits) if name.isupper()]
    rows = [[name.replace("_", " ").capitalize(), f"{vars(limits)[name]:,}"] for name in names]
    return "## Limits\n\n" + table(["limit", "value"], rows)


# ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────


def commands() -> str:
    text = "# Commands\n\nWhat `stanchion COMMAND --help` says.\n\n"
    above = click.Context(command_line, info_name="stanchion", **command_line.context_settings)
    for name in command_line.list_commands(above):
        command = command_line.get_command(above, name)
        assert command is not None
        context = click.Context(command, parent=above, info_name=name, max_content_width=100, terminal_width=100)
        command._help_option = None  # click keeps the one of the first context that asked
        text += f"## {name}\n\n```text\n{command.get_help(context).strip()}\n```\n\n"
    return text


# ── The Python client ────────────────────────────────────────────────────────────────────────────────────


def python_client() -> str:
    text = f"# Python client\n\n{doc(client)}\n\n"
    for name in client.__all__:
        member = getattr(client, name)
        text += class_section(name, member) if inspect.isclass(member) else function_section(name, member, "##")
    return text


def class_section(name: str, member: type) -> str:
    text = (
        f"## {name}\n\n```python\nclass {name}{signature(member.__init__, skip_self=True)}\n```\n\n{doc(member)}\n\n"
    )
    own = {
        key: value
        for key, value in inspect.getmembers(member)
        if not key.startswith("_") and is_ours(value) and key in public_names(member)
    }
    for key, value in own.items():
        if inspect.isfunction(value):
            text += function_section(f"{name}.{key}", value, "###")
        elif isinstance(value, property) and value.fget and value.fget.__doc__:
            text += f"### {name}.{key}\n\n{doc(value.fget)}\n\n"
    return text


def public_names(member: type) -> set[str]:
    return {key for base in member.__mro__ if base.__module__.startswith("stanchion") for key in vars(base)}


def is_ours(value: Any) -> bool:
    target = value.fget if isinstance(value, property) else value
    return str(getattr(target, "__module__", "")).startswith("stanchion.client")


def function_section(name: str, function: Callable[..., Any], heading: str) -> str:
    short = name.rpartition(".")[2]
    call = f"{short}{signature(function, skip_self='.' in name)}"
    return f"{heading} {name}\n\n```python\n{call}\n```\n\n{doc(function)}\n\n"


def signature(function: Callable[..., Any], *, skip_self: bool) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1 if skip_self else 0 :]
    shown = []
    starred = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        starred = starred or each.kind is each.VAR_POSITIONAL
        prefix = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        default = "" if each.default is each.empty else f"={default_text(each.default)}"
        shown.append(f"{prefix}{each.name}{default}")
    return f"({', '.join(shown)})"


def default_text(value: object) -> str:
    return getattr(value, "__name__", None) or repr(value)


def doc(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


if __name__ == "__main__":
    main()
