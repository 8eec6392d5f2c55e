"""What trainer and worker share: wire types, features, the model release, topics and errors.

Folders:

    inputs/   decoding and checks of input events      outputs/    changes and record headers
    release/  a model release on the wire              documents/  JSON Schemas and AsyncAPI
"""
