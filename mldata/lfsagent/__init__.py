"""A transfer agent of Git LFS: large files of a git repository go to an object store and come from it, with no LFS server.

- :mod:`mldata.lfsagent.protocol`: the lines that git lfs and an agent exchange.
- :mod:`mldata.lfsagent.agent`: answers them, one transfer after the other.
- :mod:`mldata.lfsagent.place`: where objects are kept, as a small protocol, and the store as one.
- :mod:`mldata.lfsagent.handover`: the folder in which git lfs finds what was fetched.
- :mod:`mldata.lfsagent.setup`: tells a repository to use the agent.

Git lfs starts several agents at a time, each a process, so nothing heavy is imported here.
"""
