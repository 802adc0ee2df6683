"""The error that the user can mend."""


class UserError(Exception):
    """Something that the user can mend; its text says what is wrong, where, and how to fix it."""
