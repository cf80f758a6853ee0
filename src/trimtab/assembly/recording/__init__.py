"""Recording: `trimtab.run()`, what it captures by itself, and the two ways its record takes: to a store, to a server.

Whoever trains calls a run; a run gives `RunEvent`s and files to a `Way`. The local way writes them to the project's
store. The remote way keeps them in a spool on this machine, and a thread of its own brings them to the server.
"""
