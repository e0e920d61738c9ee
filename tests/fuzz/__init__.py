"""Every adapter against bad input: an answer or a CarrierError, never another exception, never a status that was not there.

`make fuzz` runs a million cases over all cores, `python -m tests.fuzz --help` tells the rest. A case is made from its seed and
its number alone, so that it can be made again.
"""
