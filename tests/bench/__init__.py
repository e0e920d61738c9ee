"""The benchmark: CPU per shipment of the poll cycles, next to the floor of the same data in the same run (`make bench`)."""
