"""The native data plane as Python sees it.

The packet logic is in the .pxd files beside this one, all inline, so that the C compiler sees one packet's whole way:
demux (the packet entry) -> accept -> ring, then forward -> rewrite -> sending -> batch -> sockets; with TCP, tcp
comes before demux, and connections stand in the place of sockets. This module only
builds objects, passes commands and drains queues.
"""

include "records.pxi"
include "sealing.pxi"
include "building.pxi"
include "exchange.pxi"
include "keeper.pxi"
include "control.pxi"
include "core.pxi"
include "opening.pxi"
include "plane.pxi"
include "depacketizing.pxi"
