"""The rules: states, events, decisions and the processes that apply them. Imports nothing of the other packages."""
