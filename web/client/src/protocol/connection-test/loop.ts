import type { types } from 'mediasoup-client'

import { measured, type Counts, type Quality } from './quality'

/** What shows that pictures come back whole, not only the small packets that open a way. */
const ECHOED_FRAMES = 5
/** A key frame asked for once more, on a line that is slow and far. */
const ECHO_MS = 12_000
const GLANCE_MS = 200
/** Until the line is known no more than a poor one bears, or its echo would not be let out: slow is not shut. */
export const ECHO_BITS = 150_000
/** Then as much as a good camera; less is what the line, not we, allows. */
const MOST_BITS = 2_500_000
/** Until the encoder has found what the line allows. */
const CLIMB_MS = 1_000

const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))

/** A way that is open: one's own track to the server and back, once it is made to flow. */
export class Loop {
  constructor(
    private readonly send: types.Transport,
    private readonly producer: types.Producer,
    private readonly consumer: types.Consumer,
    private readonly resume: () => Promise<unknown>,
    readonly close: () => Promise<void>,
  ) {}

  /** Let it flow. Whether pictures come back; it answers as soon as some have. */
  async echoes(): Promise<boolean> {
    await this.resume()
    await this.producer.setRtpEncodingParameters({ active: true })
    const last = performance.now() + ECHO_MS
    while ((await this.counts()).framesReceived < ECHOED_FRAMES) {
      if (performance.now() > last) return false
      await pause(GLANCE_MS)
    }
    return true
  }

  /** What the line bears, over so many seconds; `onSecond` tells how far it is, 0 to 1. */
  async measure(seconds: number, onSecond: (share: number) => void = () => undefined): Promise<Quality> {
    await this.producer.setRtpEncodingParameters({ maxBitrate: MOST_BITS })
    await pause(CLIMB_MS)
    const first = await this.counts()
    for (let second = 1; second <= seconds; second++) {
      await pause(1000)
      onSecond(second / seconds)
    }
    return measured(first, await this.counts())
  }

  private async counts(): Promise<Counts> {
    const [there, back, path] = await Promise.all([
      this.producer.getStats(),
      this.consumer.getStats(),
      this.send.getStats(),
    ])
    const [sent, lost, got] = [
      read(there, 'outbound-rtp'),
      read(there, 'remote-inbound-rtp'),
      read(back, 'inbound-rtp'),
    ]
    return {
      at: performance.now(),
      packetsSent: number(sent, 'packetsSent'),
      bytesSent: number(sent, 'bytesSent'),
      lostUp: number(lost, 'packetsLost'),
      packetsReceived: number(got, 'packetsReceived'),
      bytesReceived: number(got, 'bytesReceived'),
      framesReceived: number(got, 'framesReceived'),
      lostDown: number(got, 'packetsLost'),
      jitter: number(got, 'jitter'),
      roundTrip: number(read(path, 'candidate-pair'), 'currentRoundTripTime'),
    }
  }
}

function read(report: RTCStatsReport, type: string): Record<string, unknown> {
  const all = [...report.values()] as { type: string; nominated?: boolean }[]
  return all.find((one) => one.type === type && one.nominated !== false) ?? {}
}

const number = (from: Record<string, unknown>, name: string): number =>
  typeof from[name] === 'number' ? from[name] : 0
