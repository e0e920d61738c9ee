"""Keeping what is known: backups and putting one back, checks, retirement, and forgetting what may no longer be kept."""
