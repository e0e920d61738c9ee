"""The texts for buyers: what they may say, how a blank is filled, which words never go out. Pure; the texts are passed in."""

from tracker.messages.catalogue import MESSAGE_TYPES, VARIABLES, Kind, MessageType, base_key, needed, offered
from tracker.messages.identity import message_id
from tracker.messages.lint import Hit, lint
from tracker.messages.template import Rendered, RenderError, counts_days, draft, render, required, undeclared, written
from tracker.messages.texts import Chosen, Texts, choose
from tracker.messages.variables import About, variables, variant
from tracker.messages.written import DAYS, Value, plural_forms

__all__ = [
    "DAYS",
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
    "counts_days",
    "draft",
    "lint",
    "message_id",
    "needed",
    "offered",
    "plural_forms",
    "render",
    "required",
    "undeclared",
    "variables",
    "variant",
    "written",
]
