"""The texts for buyers: what they may say, how a blank is filled, which words never go out. Pure; the texts are passed in."""

from tracker.messages.catalogue import MESSAGE_TYPES, VARIABLES, Kind, MessageType, base_key, needed, offered
from tracker.messages.identity import message_id
from tracker.messages.lint import Hit, lint
from tracker.messages.template import Rendered, RenderError, Value, render, required, undeclared
from tracker.messages.texts import Chosen, Texts, choose
from tracker.messages.variables import About, variables, variant

__all__ = [
    "MESSAGE_TYPES",
    "VARIABLES",
    "About",
    "Chosen",
    "Hit",
    "Kind",
    "MessageType",
    "RenderError",
    "Rendered",
    "Texts",
    "Value",
    "base_key",
    "choose",
    "lint",
    "message_id",
    "needed",
    "offered",
    "render",
    "required",
    "undeclared",
    "variables",
    "variant",
]
