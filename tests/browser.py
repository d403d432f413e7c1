"""A real Chromium for tests: collects what a page did wrong, asks axe-core about accessibility, keeps pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, ViewportSize, sync_playwright

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
Look = tuple[str, ViewportSize, Literal["light", "dark"]]
LOOKS: tuple[Look, ...] = (
    ("desktop", DESKTOP, "light"),
    ("phone", PHONE, "dark"),
    ("desktop", DESKTOP, "dark"),
    ("phone", PHONE, "light"),
)
LONG = os.environ.get("TENURE_SOAK") == "1" or bool(os.environ.get("TENURE_SCREENSHOTS"))
# WCAG 2.2 AA, and what axe-core calls best practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Tab:
    """One page of a browser, with what went wrong on it: console errors, refused content, failed requests."""

    page: Page
    address: str
    wrong: list[str] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Go to a path and wait until nothing loads."""
        self.page.goto(f"{self.address}{path}", wait_until="networkidle")

    def sign_in(self, username: str, password: str) -> None:
        """Sign in by the form."""
        self.open("/sign-in/")
        self.page.fill("#id_username", username)
        self.page.fill("#id_password", password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state("networkidle")

    def check(self, name: str) -> None:
        """
        Keep pictures of the page, each without a violation of axe-core: light on a desktop and dark on a phone, and the
        other way round too where a run is long or keeps pictures.
        """
        for size, viewport, theme in LOOKS if LONG else LOOKS[:2]:
            self.page.emulate_media(color_scheme=theme)
            self.page.set_viewport_size(viewport)
            self.keep(f"{name}-{size}-{theme}")
            violations = self._violations()
            assert not violations, f"{name}, {size}, {theme}: {violations}"
            width = self.page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], f"{name}, {size}: the page is {width} px wide"
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(DESKTOP)

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page, if pictures are asked for."""
        folder = os.environ.get("TENURE_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def _violations(self) -> list[str]:
        if not self.page.evaluate("typeof window.axe === 'object'"):
            # By the debugger, not by a script element: the policy of the page stays as strict as it is.
            self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            "rules => window.axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
        )
        return [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"][:4]
        ]


@contextmanager
def opened(*, chromium: str, address: str) -> Iterator[Tab]:
    """A tab of a fresh browser; at the end it must have done nothing wrong."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            context = browser.new_context(viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")
            tab = Tab(context.new_page(), address)
            _listen(tab)
            yield tab
            assert tab.wrong == []
        finally:
            browser.close()


def _listen(tab: Tab) -> None:
    def on_console(message: Any) -> None:
        # A refusal that the test provokes is told by its status as well; Chromium logs that as an error.
        if message.type in {"error", "warning"} and not any(part in message.text for part in tab.expected):
            tab.wrong.append(f"{message.text} ({tab.page.url})")

    tab.page.on("console", on_console)
    tab.page.on("pageerror", lambda error: tab.wrong.append(str(error)))
    tab.page.on("requestfailed", lambda request: tab.wrong.append(f"{request.url} {request.failure}"))
