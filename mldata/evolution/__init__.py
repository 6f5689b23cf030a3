"""Evolution: how the schema, the rows and the making of a dataset have changed from one build, export or file to another."""
