"""The configuration: TOML files over shipped defaults, checked as a whole, handed out as plain values (DESIGN, Config)."""

from tracker.config.checks import first_steps
from tracker.config.checks_texts import unreviewed
from tracker.config.example import Example, example, write_example
from tracker.config.learned import with_learned
from tracker.config.linemap import line_map
from tracker.config.load import Loaded, defaults_dir, english, find, load
from tracker.config.problem import ConfigError, Problem
from tracker.config.rescue import Rescued, load_places
from tracker.config.secret import Secret
from tracker.config.settings import (
    BackupSettings,
    EngineSettings,
    PollSettings,
    RetentionSettings,
    Settings,
    Smtp,
    Source,
    Telegram,
    WhatsApp,
    WhatsAppTemplate,
)
from tracker.config.show import Setting, schema, show
from tracker.config.snapshot import Differs, RebuildError, differences, differences_since, rebuild, snapshot

__all__ = [
    "BackupSettings",
    "ConfigError",
    "Differs",
    "EngineSettings",
    "Example",
    "Loaded",
    "PollSettings",
    "Problem",
    "RebuildError",
    "Rescued",
    "RetentionSettings",
    "Secret",
    "Setting",
    "Settings",
    "Smtp",
    "Source",
    "Telegram",
    "WhatsApp",
    "WhatsAppTemplate",
    "defaults_dir",
    "differences",
    "differences_since",
    "english",
    "example",
    "find",
    "first_steps",
    "line_map",
    "load",
    "load_places",
    "rebuild",
    "schema",
    "show",
    "snapshot",
    "unreviewed",
    "with_learned",
    "write_example",
]
