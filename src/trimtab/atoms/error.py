"""The root of every error that Trimtab raises on purpose."""


class TrimtabError(Exception):
    """What happened and what to do about it, in one message a user can act on.

    Every subclass carries the exit status that the command line ends with.
    """

    exit_status = 1


class UsageError(TrimtabError):
    """The user's input is wrong: the message names the thing and the rule."""

    exit_status = 2


class NotThere(UsageError):
    """What was asked for is not there; the message names it."""


class Conflict(UsageError):
    """What is there already contradicts what was asked for; the message names both."""


class ConfigurationRefused(TrimtabError):
    """A configuration that would be unsafe or cannot work; nothing was started."""

    exit_status = 78


class LawBroken(TrimtabError):
    """A record would break one of the three laws of the ledger, or is not on its stage's card."""


class StoreError(TrimtabError):
    """The store cannot be read or written as it is; the message names the file or the artifact."""


class Damaged(StoreError):
    """Stored bytes do not have the digest they are stored under: they are never handed out."""


class WritingEnded(StoreError):
    """The disk refused a flush, so nobody knows what is on it: this process writes no more, and must end."""


class LeaseLost(StoreError):
    """Another process has taken over; this one must stop acting."""


class ModelRefused(TrimtabError):
    """A model that will not be loaded, compiled or served; the message says which rule it broke."""


class ExecutorDied(TrimtabError):
    """The process that did the work ended before it answered."""
