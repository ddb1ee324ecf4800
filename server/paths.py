"""Where templates, static files, translations and the default configuration are: inside the wheel, else on top of the
repository."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "assets"


def asset(name: str) -> Path:
    """The file or folder ``name`` among the assets."""
    installed = _INSTALLED / name
    return installed if installed.exists() else _PACKAGE.parent / name


def templates_dir() -> Path:
    """The folder of the page templates."""
    return asset("templates")


def static_dir() -> Path:
    """The folder of what pages load: styles, scripts, icons."""
    return asset("static")


def locale_dir() -> Path:
    """The folder of the translations, ``<language>/LC_MESSAGES/ringback.po`` in it."""
    return asset("locale")


def default_config() -> Path:
    """``config.yaml`` with every setting at its default."""
    return asset("config.yaml")


def docs_dir() -> Path:
    """The handbook."""
    return asset("docs")
