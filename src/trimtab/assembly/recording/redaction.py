"""Text that people may read later, without what looks like a secret."""

import re
from collections.abc import Sequence

MASK = "***"

#: Not `tokenizer`, `max_tokens` and `author`, which command lines of training are full of.
_SECRET_WORD = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token(?!s|iz)|(?:api|access|private)[-_]?key|auth(?!or)|"
    r"credentials?|bearer|signature)"
)
#: `--token VALUE`, where the value is the next argument.
_OPTION = re.compile(rf"-{{1,2}}[\w.-]*{_SECRET_WORD}[\w.-]*", re.IGNORECASE)
#: `--token=VALUE`, `PASSWORD=VALUE`, `"api_key": "VALUE"`. Nothing is tried twice: a text may be long.
_ASSIGNED = re.compile(
    rf"""((?<![\w.\-])(?=[\w.\-]*{_SECRET_WORD})[\w.\-]++["']?\s*+[=:]\s*+)("[^"]*"|'[^']*'|[^\s,;&"']+)""",
    re.IGNORECASE,
)
#: The password of `scheme://user:password@host`.
_IN_URL = re.compile(r"([a-z][a-z0-9+.-]{0,30}://[^\s/:@]*):[^\s/@]+@", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=\-]{6,}", re.IGNORECASE)
#: Tokens that say by their form what they are.
_KNOWN_FORM = re.compile(
    r"\b(?:tt_\w+_\w{8,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w\-]{16,}|sk-[\w\-]{16,}|hf_\w{20,}|xox[abprs]-[\w\-]{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[\w\-]{30,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*)"
)
#: Long runs of letters and digits mixed: keys of unknown form. Digests of 40 or 64 hex digits and ids are let be.
_RANDOM = re.compile(
    r"(?<![\w/+.\-])(?=[\w+/=\-]*[a-z])(?=[\w+/=\-]*[A-Z])(?=[\w+/=\-]*[0-9])[\w+=\-]{32,}(?![\w/.])"
)


def redacted(text: str) -> str:
    """The text with `***` where something looks like a password, a key or a token.

    >>> redacted("train.py --password=hunter2 postgresql://ann:pw@db/x")
    'train.py --password=*** postgresql://ann:***@db/x'
    """
    text = _IN_URL.sub(rf"\1:{MASK}@", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _ASSIGNED.sub(rf"\1{MASK}", text)
    text = _KNOWN_FORM.sub(MASK, text)
    return _RANDOM.sub(MASK, text)


def redacted_command(arguments: Sequence[str]) -> list[str]:
    """A command line as `redacted` gives it, where also the argument after `--token` and its like goes.

    >>> redacted_command(["train.py", "--token", "abc", "--depth", "3"])
    ['train.py', '--token', '***', '--depth', '3']
    """
    told, hides = [], False
    for argument in arguments:
        if hides and not argument.startswith("--"):
            told.append(MASK)
            hides = False
            continue
        hides = _OPTION.fullmatch(argument) is not None
        told.append(redacted(argument))
    return told
