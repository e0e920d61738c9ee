"""The state machine: the real house on a real database, whatever happens to it, and the seven invariants after every step."""
