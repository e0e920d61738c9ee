"""The layouts that the inbox knows, read again when a profile was added or changed: nobody has to reload the daemon."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tracker.config import ConfigError, Loaded
from tracker.intake.importing import Knowledge, knowledge_of
from tracker.intake.loading import profile_files
from tracker.log import Event, get_logger

_log = get_logger()

_State = tuple[tuple[Path, int, int], ...]


class Layouts:
    """What `knowledge_of` found, and the files that it found it in."""

    def __init__(self, loaded: Loaded) -> None:
        """Raises ConfigError."""
        self._loaded = loaded
        self._seen = self._state()
        self._known = knowledge_of(loaded)

    def now(self) -> Knowledge:
        """The newest that can be read. A profile with mistakes is told once, and what was known before stays."""
        state = self._state()
        if state != self._seen:
            self._seen = state
            try:
                self._known = knowledge_of(self._loaded)
            except ConfigError as error:
                _log.error(Event.INBOX_PROFILES_REJECTED, problems=len(error.problems), first=str(error.problems[0]))
        return self._known

    def _state(self) -> _State:
        with suppress(OSError):
            found = ((file, file.stat()) for file in profile_files(self._loaded.settings.folder))
            return tuple((file, status.st_mtime_ns, status.st_size) for file, status in found)
        return ()
