"""The command ``batchcore migrate``: programs of another batch utility, changed to batchcore where that is certain.

Importing ``driver`` needs no other package; reading the first program needs libcst, the extra ``migrate``.
"""
