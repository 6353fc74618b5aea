"""Serve the page on this machine alone: no share link, no telemetry, and a browser that may ask nobody else."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import MutableMapping
from importlib import resources
from typing import TYPE_CHECKING, Any

from interlingua.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from interlingua.explore.session import Session

HOST = "127.0.0.1"
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Settings of Gradio and its Hub client: nothing is sent, and nothing is kept of what a visitor typed."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)
"""The browser refuses every request that is not to the page's own address."""

FONTS = ("system-ui", "sans-serif")
MONO = ("ui-monospace", "monospace")


def require_gradio() -> None:
    """Raise unless the page can be made, and keep Gradio quiet from its import on.

    Raises:
        MissingExtraError: The extra `explore` is not installed.
    """
    os.environ.update(QUIET)
    if importlib.util.find_spec("gradio") is None:
        raise MissingExtraError("the explorer", "explore")


def serve(session: Session, *, port: int | None = None, browser: bool = True) -> Any:
    """Start to serve the page of a session.

    Args:
        session: What is explored.
        port: Of this machine; by default the first that is free from 7860 on.
        browser: Whether to open it in the user's browser.

    Returns:
        The running page: `local_url` is its address, and `close` ends it.

    Raises:
        MissingExtraError: The extra `explore` is not installed.
        InputError: The port is taken.
    """
    require_gradio()
    import gradio as gr
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from interlingua.explore.page.page import make_page

    page = make_page(session)
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])  # no other site's name for this page
    try:
        page.launch(
            server_name=HOST,
            server_port=port,
            share=False,
            inbrowser=browser,
            quiet=True,
            prevent_thread_lock=True,
            footer_links=[],
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            theme=gr.themes.Default(primary_hue="indigo", font=FONTS, font_mono=MONO),
            css=resources.files("interlingua.explore.page").joinpath("page.css").read_text(encoding="utf-8"),
            app_kwargs={"middleware": [hosts, Middleware(_Policy)]},
        )
    except OSError as error:
        raise InputError(f"cannot serve the page at port {port}: {error}; give another --port") from None
    return page


class _Policy:
    """Adds the policy to every answer (an ASGI middleware)."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def with_policy(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", POLICY.encode())]
            await send(message)

        await self.app(scope, receive, with_policy)
