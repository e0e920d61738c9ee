"""Ask carriers and aggregators about tracking numbers. A library of its own; importing it imports nothing."""
