"""The same rooms again; run with `make test`."""
