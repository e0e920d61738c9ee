"""Files in: orders and shipping sheets as sellers have them become `ImportBatch`es.

`reading.read_file` reads one file, `importing.import_files` reads and saves many (the command), `inbox.scan_once` does the
same for a watched folder. Formats are data: config/formats.toml. This module imports nothing: `tracker --help` stays cheap.
"""
