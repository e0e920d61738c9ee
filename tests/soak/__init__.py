"""The soak: months of a shop's life in simulated time, and whether memory, handles, tables and the log level off (fault 34)."""
