"""Flags of the commands that build Settings, made from their declaration."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stanchion.settings import SETTINGS, Setting, Settings, load

Command = TypeVar("Command", bound=Callable[..., Any])


def settings_options(command: Command) -> Command:
    """Give a command one flag for each setting; it gets them as keyword arguments for ``settings_from``."""
    for setting in reversed(SETTINGS):  # click lists the last one first
        command = _option(setting)(command)
    return command


def settings_from(flags: dict[str, object]) -> Settings:
    """The settings of this process; SettingsError for the operator."""
    return load(flags, os.environ, folder=Path(), terminal=sys.stderr.isatty())


def _option(setting: Setting) -> Callable[[Command], Command]:
    # Values stay text here: settings.load reads them, so that a mistake is told alike wherever it was made.
    if setting.is_switch:
        names = f"{setting.flag}/--no-{setting.key}"
        return click.option(
            names, setting.name, default=None, help=_help(setting, "on" if setting.default else "off")
        )
    shown = "" if setting.default in ((), None) else str(setting.default)
    return click.option(setting.flag, setting.name, metavar=setting.metavar, help=_help(setting, shown))


def _help(setting: Setting, default: str) -> str:
    facts = [f"default: {default}"] if default else []
    return f"{setting.help}  [{'; '.join([*facts, setting.variable])}]"
