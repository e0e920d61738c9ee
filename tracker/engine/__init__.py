"""What makes it tick: `local` (APScheduler kicks, our own pool works) and `simulated` (jumps to the next due instant)."""
