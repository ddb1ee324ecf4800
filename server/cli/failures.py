"""What goes wrong becomes one line on standard error and an exit code: 2 for what was asked, 1 for what came of it."""

from __future__ import annotations

from typing import Any

import click

from server.config import ConfigError
from server.errors import BadRequest, RingbackError, Unavailable
from server.log import get_logger
from server.store.driver import ConfigurationError, OperationFailure
from server.store.embedded import EmbeddedMongoError

INTERRUPTED = 130  # 128 + SIGINT, as a shell has it

log = get_logger("cli")


class Failure(click.ClickException):
    """Ends the command with exit code 1; ``message``, shown on one line, says what is wrong and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class BadlyAsked(Failure):
    """The same for what was wrong before the command began: its arguments, the configuration."""

    exit_code = 2


class Commands(click.Group):
    """A group of commands of which none ever shows a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; see ``click.Group``."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # click knows what to do with these
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except Exception as error:
            raise failure(error) from error


def failure(error: Exception) -> Failure:
    """The line and the exit code for an error that a command met."""
    match error:
        case ConfigError():
            return BadlyAsked(str(error))
        case BadRequest():
            return BadlyAsked(error.detail)
        case Unavailable():
            return Failure("the database is away: is the MongoDB of mongo.uri running, and does it take writes?")
        case RingbackError():
            return Failure(error.detail)
        case EmbeddedMongoError():
            return Failure(str(error))
        case ConfigurationError():  # of a mongodb+srv://, whose hosts are looked up late
            return BadlyAsked(f"mongo.uri: {error}")
        case OperationFailure():
            reason = (error.details or {}).get("errmsg", f"error {error.code}")
            return Failure(f"MongoDB refuses: {reason}")
        case OSError(filename=str(), strerror=str()):
            return Failure(f"{error.filename}: {error.strerror}")
        case _:
            log.info("command_failed", exc_info=error)
            return Failure(f"unexpected {type(error).__name__}: {error} (RINGBACK_LOG__LEVEL=debug shows where)")
