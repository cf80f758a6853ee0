"""A typed client of the control plane's API: what the command line asks of a server, and recording from afar."""

from trimtab.adapters.control_client.client import SERVER, TOKEN, ControlClient

__all__ = ["SERVER", "TOKEN", "ControlClient"]
