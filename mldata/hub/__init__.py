"""The Hugging Face Hub: what its repositories of datasets are called, what they hold, and how they are asked for.

A *repository* is ``owner/name``; a *subset* (the Hub: config) is one of several datasets in it; a *split* is a part of a subset, such as ``train``.
``place`` reads source texts, ``api`` asks, ``refusals`` says what its refusals mean, ``choice`` finds the files that are meant, ``subsets`` and
``layout`` decide without asking which these are and where they stand, ``cache`` finds files that the Hub's own client has on this machine,
``card`` reads what a repository says of itself, ``about`` tells it, ``find`` searches.

Own requests instead of the library ``huggingface_hub``: it brings another HTTP library, keeps files in a cache of its own, and compares sizes only. The
tests point it at the same server (``tests/servers/hub.py``).
"""
