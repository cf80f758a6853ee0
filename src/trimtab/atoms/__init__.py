"""WORDS: the three immutable records (artifact, check, action) and the content an artifact can have."""
