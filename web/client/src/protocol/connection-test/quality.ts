/** WebRTC's counters at one moment; times in seconds but `at`, which is in milliseconds. */
export interface Counts {
  at: number
  packetsSent: number
  bytesSent: number
  lostUp: number
  packetsReceived: number
  bytesReceived: number
  framesReceived: number
  lostDown: number
  jitter: number
  roundTrip: number
}

/** Shares are 0 to 1. */
export interface Quality {
  /** Pictures that came back meanwhile. */
  frames: number
  roundTripMs: number
  jitterMs: number
  lossUp: number
  lossDown: number
  upKbps: number
  downKbps: number
}

const share = (part: number, whole: number): number =>
  whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0

/** What happened between two readings; a line on which nothing comes back has lost everything. */
export function measured(first: Counts, last: Counts): Quality {
  const milliseconds = Math.max(1, last.at - first.at)
  const lost = last.lostDown - first.lostDown
  const received = last.packetsReceived - first.packetsReceived
  const sent = last.packetsSent - first.packetsSent
  return {
    frames: last.framesReceived - first.framesReceived,
    roundTripMs: Math.round(last.roundTrip * 1000),
    jitterMs: Math.round(last.jitter * 1000),
    lossUp: share(last.lostUp - first.lostUp, sent),
    lossDown: received === 0 && sent > 0 ? 1 : share(lost, received + lost),
    upKbps: Math.round(((last.bytesSent - first.bytesSent) * 8) / milliseconds),
    downKbps: Math.round(((last.bytesReceived - first.bytesReceived) * 8) / milliseconds),
  }
}
