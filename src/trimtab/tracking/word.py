"""Names for runs that nobody named, so that people can speak of them."""

import secrets

_WIND = """
bare brisk calm clear cold deep fair fresh full gentle grey high keen late light long low mild north open quick
quiet slack slow soft south steady still stiff swift tall warm west wide
"""
_SHIP = """
barge barque bosun bowline brig buoy cable capstan cleat clipper compass cutter dinghy fathom ferry gaff galley
halyard harbour jib keel ketch lighter lugger mast mooring pilot rudder sail schooner sextant sloop tiller yawl
"""


def made_up_name() -> str:
    """Two words and a number; it need not be unique."""
    return f"{secrets.choice(_WIND.split())}-{secrets.choice(_SHIP.split())}-{secrets.randbelow(1000)}"
