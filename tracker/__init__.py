"""Tracker, the logistics follow-up daemon for cross-border sellers."""
