"""Bytes from elsewhere, into the store: resumed where they were cut off, verified before they are an object.

``base`` has the words, ``web`` speaks HTTP, ``engine`` downloads.
"""
