import type { types } from 'mediasoup-client'

/** For so long the smallest size goes on for nobody, so that who looks next sees it at once: people scroll to and fro. */
export const REST_AFTER_MS = 30_000

/** Sends no sizes of a producer that nobody looks at: it spares the line, and the processor most of all. */
export class LayerLimit {
  /** Set for as long as nobody looks, whether the smallest size still goes on or not. */
  private rest: ReturnType<typeof setTimeout> | null = null

  constructor(private readonly producer: types.Producer) {
    producer.observer.once('close', () => this.wake())
  }

  /** So many sizes, from the smallest, are looked at. */
  want(count: number): void {
    if (count === 0 && this.rest !== null) return
    this.wake()
    this.send(Math.max(count, 1))
    if (count === 0) this.rest = setTimeout(() => this.send(0), REST_AFTER_MS)
  }

  private wake(): void {
    if (this.rest !== null) clearTimeout(this.rest)
    this.rest = null
  }

  private send(count: number): void {
    // Where a browser refuses, all sizes go on being sent, which costs and harms nobody else.
    limitLayers(this.producer, count).catch(() => undefined)
  }
}

async function limitLayers({ closed, rtpSender }: types.Producer, count: number): Promise<void> {
  const parameters = rtpSender?.getParameters()
  if (closed || !parameters) return
  parameters.encodings.forEach((encoding, index) => (encoding.active = index < count))
  await rtpSender?.setParameters(parameters)
}
