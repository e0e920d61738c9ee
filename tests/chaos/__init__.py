"""The chaos harness: real daemons of real shops are killed a thousand times, and then everything is counted (`make chaos`)."""
