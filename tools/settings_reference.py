"""Write what is derived from the models of the settings: the schema for editors and docs/settings.md.

    PYTHONPATH=workflow_scripts python tools/settings_reference.py

is what `make docs` does.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from video3d.common.settings import Settings

PROJECT = Path(__file__).parents[1]
SCHEMA, PAGE = PROJECT / "schemas/config.schema.json", PROJECT / "docs/settings.md"
HEAD = """# Settings

<!-- Made by `make docs` from workflow_scripts/video3d/common/settings.py: edit the models there. -->

Every setting is optional. What a recipe says (`--configfile recipes/<name>.yaml`) comes before config.yaml, and the
command line (`--config 'train={epochs: 50}' run=longer`) before both. A key that does not exist is an error.
"""
LIMITS = {
    "minimum": "at least", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than", "maximum": "at most",
}  # fmt: skip


def main() -> None:
    """Write both files."""
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    PAGE.write_text(page_text(), encoding="utf-8")


def schema() -> dict[str, Any]:
    """Return the JSON schema of the settings, without pydantic's titles, each description on one line."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | _tidy(Settings.model_json_schema(mode="validation"))


def schema_text() -> str:
    """Return the content of the schema's file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(item) for key, item in value.items() if not (key == "title" and isinstance(item, str))}
    if isinstance(text := kept.get("description"), str):
        kept["description"] = " ".join(text.split())
    return kept


def page_text() -> str:
    """Return the content of docs/settings.md: a table of each section."""
    whole = schema()
    alone = {name: part for name, part in whole["properties"].items() if "$ref" not in part}
    tables = [_table("The run", "what it is called, and what is computed", alone, whole)]
    for name, part in whole["properties"].items():
        if name not in alone:
            tables.append(_table(f"`{name}`", part["description"], _settings_of(part, whole), whole))
    return HEAD + "".join(tables)


def _table(title: str, meaning: str, settings: dict[str, Any], whole: dict[str, Any]) -> str:
    head = f"\n## {title}: {meaning}\n\n| setting | values | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(_rows(settings, whole))


def _rows(settings: dict[str, Any], whole: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, part in settings.items():
        if "$ref" in part:
            yield from _rows(_settings_of(part, whole), whole, f"{above}{name}: ")
        else:
            meaning = part["description"].replace("<", "&lt;").replace("|", "&#124;")
            yield f"| `{above}{name}` | {values(part)} | `{_written(part['default'])}` | {meaning} |\n"


def _settings_of(section: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    return whole["$defs"][section["$ref"].removeprefix("#/$defs/")]["properties"]


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def values(part: dict[str, Any]) -> str:
    """Return in words which values this part of the schema allows."""
    if "anyOf" in part:
        return " or ".join(values(choice) for choice in part["anyOf"])
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    match part["type"]:
        case "null":
            return "`null`"
        case "boolean":
            return "`true`, `false`"
        case "string":
            return part.get("patternErrorMessage", "text").removeprefix("expected ")
        case "array":
            length = f" of {part['minItems']}" if "maxItems" in part else ""
            ends = ["; not empty" * (part.get("minItems") == 1), "; each once" * part.get("uniqueItems", False)]
            return f"list{length}: {values(part['items'])}{''.join(ends)}"
        case "object":
            if "propertyNames" in part:
                return values({"type": "string"} | part["propertyNames"])
            return f"names, each with a {values(part['additionalProperties'])}"
    kind = "whole number" if part["type"] == "integer" else "number"
    if {"minimum", "maximum"} <= part.keys():
        return f"{kind}, {part['minimum']:.10g} to {part['maximum']:.10g}"
    return ", ".join([kind, *(f"{words} {part[key]:.10g}" for key, words in LIMITS.items() if key in part)])


if __name__ == "__main__":
    main()
