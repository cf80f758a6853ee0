"""The kinds of thing that an artifact can be; stages of the loop meet only here."""
