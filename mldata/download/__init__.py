"""Bytes from elsewhere, into the store: resumed where they were cut off, verified before they are an object.

``base`` has the words; ``web`` speaks HTTP. ``engine`` downloads: ``small`` files by themselves, others by a ``transfer``, which lets a
``bringing`` fill what is ``holding`` of it, in ``pieces`` (the partial data itself is the store's).
"""
