"""One file for each command: the object `command` in it."""
