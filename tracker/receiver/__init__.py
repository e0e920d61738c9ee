"""The push door: sources call us, we keep what they say and answer 200. Wants the extra `web`; off unless [receiver] listens."""

from tracker.receiver.app import Limits, make_app
from tracker.receiver.door import Door, Doorkeeper
from tracker.receiver.opening import push_door
from tracker.receiver.serving import Receiver

__all__ = ["Door", "Doorkeeper", "Limits", "Receiver", "make_app", "push_door"]
