"""Marketplaces' own APIs: reading delivery windows and disputes, extending a window (R7, R42). One file each."""
