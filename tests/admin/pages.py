"""What the admin's forms hold, as a browser would send it back."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select: str | None = None
        self._textarea: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("name")
        if tag == "input" and name and "disabled" not in values:
            self._read_input(name, values)
        elif tag == "select" and name:
            self._select = name if "disabled" not in values else None
        elif tag == "option" and self._select and "selected" in values:
            self.values.setdefault(self._select, []).append(values.get("value") or "")
        elif tag == "textarea" and name:
            self._textarea, self._text = name, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        if tag == "textarea" and self._textarea:
            self.values.setdefault(self._textarea, []).append(self._text.removeprefix("\n"))
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._text += data

    def _read_input(self, name: str, values: dict[str, Any]) -> None:
        kind = values.get("type", "text")
        if kind in {"submit", "button", "file"} or (kind in {"checkbox", "radio"} and "checked" not in values):
            return
        self.values.setdefault(name, []).append(values.get("value") or ("on" if kind == "checkbox" else ""))


def form_of(response: HttpResponse) -> dict[str, Any]:
    """Return the values that a browser would send from the page's form, untouched."""
    parser = _Fields()
    parser.feed(response.content.decode())
    parser.values.pop("csrfmiddlewaretoken", None)
    return dict(parser.values)


def errors_of(response: HttpResponse) -> Iterator[str]:
    """Yield the errors that the page shows at its fields and above them."""
    context = response.context or {}
    form = context["adminform"].form
    for errors in form.errors.values():
        yield from (str(error) for error in errors)
    for formset in context.get("inline_admin_formsets", []):
        for row in formset.formset.errors:
            yield from (str(error) for errors in row.values() for error in errors)
