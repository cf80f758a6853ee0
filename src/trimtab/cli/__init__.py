"""FACE: the command line. A command's module is imported when the command is run, and not before."""
