"""The shell that asks sources about the parcels that are due."""

from tracker.polling.cadence import Cadence
from tracker.polling.conversation import Source
from tracker.polling.gate import Pace, StoreGate
from tracker.polling.markets import MarketReader
from tracker.polling.poller import Poller, PollReport
from tracker.polling.pushes import Pusher

__all__ = ["Cadence", "MarketReader", "Pace", "PollReport", "Poller", "Pusher", "Source", "StoreGate"]
