"""Docstrings copied from an interface to its implementations."""

from typing import Protocol

from nmfaudio._common.docstrings import inherits_docstrings


class Interface(Protocol):
    @property
    def size(self) -> int:
        """Return the size."""

    def run(self):
        """Run."""

    def stop(self):
        """Stop."""


@inherits_docstrings(Interface)
class Implementation:
    size = property(lambda self: 1)

    def run(self):
        pass

    def stop(self):
        """Stop at once."""

    def extra(self):
        pass

    def _private(self):
        pass


def test_public_members_without_a_docstring_get_that_of_the_interface():
    assert Implementation.size.__doc__ == "Return the size."
    assert Implementation.run.__doc__ == "Run."
    assert Implementation.stop.__doc__ == "Stop at once."
    assert Implementation.extra.__doc__ is None
    assert Implementation._private.__doc__ is None
