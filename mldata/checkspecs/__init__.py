"""What ``validate`` in ``mldata.yaml`` says of each check: a file a check, a section of the spec each.

A section gives the parameters of its check (``to_plain``), every default filled in. Defaults and their reasons stand with the fields.
"""
