"""Configuration text from files, directories and flags, decoded and laid over each other in order.

The one module here that reads files. Source: the reference's documented merge rules: sources in the order given, a
directory's files by name; scalars replace, maps overlay, lists append; `service` and `check` join `services` and
`checks`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from errno import ENOENT
from pathlib import Path
from typing import Any

import msgspec

from lictor import limits
from lictor.agent.config.accepted import ENTERPRISE, REFUSED, WITHOUT_EFFECT
from lictor.agent.config.decode import Decoder, Problem
from lictor.agent.config.spelling import FileSettings
from lictor.errors import ConfigError
from lictor.hcl import HCLError, Object, parse

FORMATS = ("hcl", "json")
_SHOWN_PROBLEMS = 20
_SHOWN_CHARACTERS = 300


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of configuration text. `name` is what errors call it; `format` is hcl or json."""

    name: str
    text: str
    format: str


class Fragment(msgspec.Struct, kw_only=True):
    """Decoded settings (only what was given, plain nested dicts) and what there is to say about them."""

    settings: dict[str, Any]
    warnings: list[str] = []
    ignored: list[str] = []


def read(paths: Iterable[str], format: str = "") -> tuple[list[Source], list[str]]:
    """The text of files, and of the .json and .hcl files in directories, in order; and warnings on those left out.

    `format` (hcl or json) holds for all of them whatever their names. Raises ConfigError naming the file.
    """
    if format and format not in FORMATS:
        raise ConfigError("config: -config-format must be either 'hcl' or 'json'")
    sources: list[Source] = []
    warnings: list[str] = []
    for path in paths:
        if not os.path.exists(path):
            raise ConfigError(f"config: Open failed on {path}. {os.strerror(ENOENT)}")
        for file in _files(path):
            kind = format or Path(file).suffix.removeprefix(".")
            if kind not in FORMATS:
                warnings.append(f"skipping file {file}, extension must be .hcl or .json, or config format must be set")
                continue
            if len(sources) >= limits.CONFIG_FILES:
                raise ConfigError(f"config: more than {limits.CONFIG_FILES} files, at {file}")
            sources.append(Source(name=file, text=_text(file), format=kind))
    return sources, warnings


def _files(path: str) -> list[str]:
    """`path`, or the files in it by name when it is a directory; directories inside are not entered."""
    try:
        if not os.path.isdir(path):
            return [path]
        return [full for name in sorted(os.listdir(path)) if not os.path.isdir(full := os.path.join(path, name))]
    except OSError as error:
        raise ConfigError(f"config: Readdir failed on {path}. {error.strerror}") from None


def _text(file: str) -> str:
    try:
        with open(file, "rb") as stream:
            raw = stream.read(limits.CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"config: Open failed on {file}. {error.strerror}") from None
    if len(raw) > limits.CONFIG_BYTES:
        raise ConfigError(f"config: {file} is larger than {limits.CONFIG_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"Error parsing {file}: not valid UTF-8 (line {line})") from None


def decode(source: Source) -> Fragment:
    """The settings of one source. Raises ConfigError naming the source, each key that is wrong, and where it stands."""
    if len(source.text) > limits.CONFIG_BYTES:
        raise ConfigError(f"config: {source.name} is larger than {limits.CONFIG_BYTES} bytes")
    return fit(_raw(source), source)


def fit(raw: Mapping[str, Any], source: Source) -> Fragment:
    """Settings as they were written, fitted to their types; `source` is for errors. Raises ConfigError as `decode`."""
    decoder = Decoder(WITHOUT_EFFECT.keys() | ENTERPRISE | REFUSED.keys())
    settings = decoder.struct(raw, FileSettings)
    problems = decoder.problems
    problems.extend(Problem(path, REFUSED[path], 0) for path in decoder.ignored if path in REFUSED)
    if problems:
        raise ConfigError(_report(source, problems))
    for one, several in (("service", "services"), ("check", "checks")):
        if one in settings:
            settings[several] = [*settings.get(several, ()), *settings.pop(one)]
    enterprise = sorted({path for path in decoder.ignored if path in ENTERPRISE})
    return Fragment(
        settings=settings,
        warnings=[f'"{path}" is a Consul Enterprise configuration and will have no effect' for path in enterprise],
        ignored=sorted({path for path in decoder.ignored if path not in ENTERPRISE}),
    )


def _raw(source: Source) -> Object:
    text = source.text
    if not text.strip():
        return Object()
    if source.format == "json" and text.lstrip("\ufeff \t\r\n")[:1] != "{":
        raise ConfigError(f"Error parsing {source.name}: expected a JSON object (line 1)")
    try:
        return parse(text, max_depth=limits.CONFIG_DEPTH)
    except HCLError as error:
        raise ConfigError(f"Error parsing {source.name}: {error}") from None


def _report(source: Source, problems: Sequence[Problem]) -> str:
    """All problems of a source as one text."""
    told = []
    for problem in problems[:_SHOWN_PROBLEMS]:
        line = problem.line or _line_of(source.text, problem.path)
        text = problem.text[:_SHOWN_CHARACTERS]
        told.append(f"{text} (line {line})" if line else text)
    if len(problems) > _SHOWN_PROBLEMS:
        told.append(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    if len(told) == 1:
        return f"Error parsing {source.name}: {told[0]}"
    return f"Error parsing {source.name}: {len(problems)} errors occurred:" + "".join(f"\n\t* {text}" for text in told)


def _line_of(text: str, path: str) -> int:
    """The line on which the last key of `path` stands when it is the only one of that name, else 0."""
    key = '"' + path.rpartition(".")[2].partition("[")[0] + '"'
    at = text.find(key)
    return text.count("\n", 0, at) + 1 if at >= 0 and text.find(key, at + 1) < 0 else 0


def merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid over `under`: maps key by key, lists behind lists, anything else in place of what was there."""
    merged = dict(under)
    for key, value in over.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = merge(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            merged[key] = before + value
        else:
            merged[key] = value
    return merged
