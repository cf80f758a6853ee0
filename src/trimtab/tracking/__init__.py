"""EXPERIMENTS: what is logged while a run runs, sealed when it ends, and searched ever after.

Decisions (an experiment, the beginning and end of a run, a registered version) are Actions in the ledger. What comes at
request rate (metric points, parameters, tags, files) goes to the stream `tracking`, durable before it is acknowledged.
The run index is a fold of both. What the engine trains stands in it beside what people log by hand.
"""
