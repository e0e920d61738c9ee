"""The demo: its stand-in, and the story it tells."""
