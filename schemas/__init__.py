"""What trainer, worker and commands share: wire types, features, the model release, topics and errors.

Folders:

    inputs/   decoding and checks of input events      outputs/    changes and record headers
    release/  a model release on the wire              documents/  JSON Schemas and AsyncAPI

Beside them are types (``errors``, ``features``, ``input_events``, ``topics``), the partitioners
(``partitioner``), and helpers for texts and times: ``counted`` (a count with its noun), ``extras`` (how to
install an extra), ``printable`` (text that is safe to print) and ``times``.
"""
