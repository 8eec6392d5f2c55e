"""What both sides say: wire types, features, the model release, topics and errors.

Rooms:

    inputs/   decoding and checks of input events      outputs/    changes and record headers
    release/  a model release on the wire              documents/  JSON Schemas and AsyncAPI
"""
