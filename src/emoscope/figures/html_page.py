"""HTML from Jinja2 templates with autoescape: whatever a value holds, it stays text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render_html(package: str, template: str, values: dict[str, object]) -> str:
    """Return a template filled with values; a name that is missing is an error.

    Args:
        package: dotted name of the package whose folder ``templates`` holds the template.
        template: file name of the template.
        values: what it shows, by name; markup only where the template says ``safe``.
    """
    return _environment(package).get_template(template).render(values)


@cache
def _environment(package: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only when a report is made

    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
