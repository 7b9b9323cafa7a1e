import type { types } from 'mediasoup-client'

import { asProblem } from '../problem'

import { Acknowledged } from './acknowledged'
import { producerOptions } from './encodings'
import { LayerLimit } from './layerLimit'
import type { Ask, OwnProducerInfo, Source } from './messages'
import { Retries } from './retries'
import { Serials } from './serial'

interface Wish {
  track: MediaStreamTrack
  paused: boolean
}

/** What the server has of ours, as it last acknowledged it. */
interface Served {
  id: string
  paused: Acknowledged<boolean>
  /** None where the server has what we do not send, or no longer: it is closed there before anything takes its place. */
  producer: types.Producer | null
  limit: LayerLimit | null
}

export interface OutgoingEvents {
  /** A host silenced this source of ours. */
  onSilenced: (source: Source) => void
  /** A track of ours could not be sent. */
  onSendFailed: (source: Source, problem: unknown) => void
}

/**
 * What this participant sends. One says what it should be (`set`, `setPaused`); `sync` makes it so, now or when the
 * connection is back. Each source goes its own way, one step at a time.
 */
export class Outgoing {
  private readonly wishes = new Map<Source, Wish>()
  private readonly served = new Map<Source, Served>()
  private readonly queues = new Serials<Source>()
  private readonly retries = new Retries<Source>((source) => this.sync(source))
  private transport: (() => Promise<types.Transport>) | null = null

  constructor(
    private readonly ask: Ask,
    private readonly events: OutgoingEvents,
  ) {}

  /** Whether there is nothing to send. */
  get idle(): boolean {
    return this.wishes.size === 0
  }

  /** The room is open: `transport` makes the send transport when the first track wants it. */
  open(transport: () => Promise<types.Transport>): void {
    this.transport = transport
    for (const source of this.wishes.keys()) void this.sync(source)
  }

  /** All media objects are gone, at the server too; the wishes stay for the next `open`. */
  close(): void {
    this.transport = null
    this.retries.clear()
    for (const source of [...this.served.keys()]) this.drop(source)
  }

  set(source: Source, track: MediaStreamTrack | null, paused = false): Promise<void> {
    if (track) this.wishes.set(source, { track, paused })
    else this.wishes.delete(source)
    return this.sync(source)
  }

  setPaused(source: Source, paused: boolean): Promise<void> {
    const wish = this.wishes.get(source)
    if (!wish) return Promise.resolve()
    this.wishes.set(source, { ...wish, paused })
    return this.sync(source)
  }

  /** A host silenced it: so it stays, whatever was wished before, until it is wished again. */
  silenced(producerId: string): void {
    const source = this.sourceOf(producerId)
    if (source) this.silence(source)
  }

  /** After a resume: the server has these of ours. What it paused unasked, a host silenced meanwhile. */
  learn(known: OwnProducerInfo[]): void {
    for (const [source, { id }] of [...this.served])
      if (!known.some((one) => one.producerId === id)) this.drop(source)
    for (const { source, producerId, paused, layersWanted } of known) {
      const served = this.served.get(source)
      if (served?.paused.value === false && paused) this.silence(source)
      if (served) served.paused.value = paused
      else
        this.served.set(source, {
          id: producerId,
          paused: new Acknowledged(paused),
          producer: null,
          limit: null,
        })
      if (typeof layersWanted === 'number') served?.limit?.want(layersWanted)
    }
  }

  /** What the server has of ours stays as far as it is wished, the rest is made anew or closed. */
  resume(): void {
    for (const source of new Set([...this.wishes.keys(), ...this.served.keys()])) void this.sync(source)
  }

  /** So many sizes of it, from the smallest, are looked at. */
  layersWanted(producerId: string, count: number): void {
    const source = this.sourceOf(producerId)
    if (source) this.served.get(source)?.limit?.want(count)
  }

  private sourceOf(producerId: string): Source | undefined {
    return [...this.served].find(([, { id }]) => id === producerId)?.[0]
  }

  private silence(source: Source): void {
    const [wish, served] = [this.wishes.get(source), this.served.get(source)]
    if (served) served.paused.value = true
    if (!wish || wish.paused) return
    void this.setPaused(source, true)
    this.events.onSilenced(source)
  }

  private drop(source: Source): void {
    this.served.get(source)?.producer?.close()
    this.served.delete(source)
  }

  private sync(source: Source): Promise<void> {
    return this.queues.run(source, async () => {
      const { transport } = this
      try {
        await this.step(source)
      } catch (error) {
        // What was interrupted because all media objects went is done by the next `open`, or by `resume`.
        if (this.transport !== transport || asProblem(error).code === 'connection_lost') return
        if (!this.retries.after(error, source)) this.events.onSendFailed(source, error)
      }
    })
  }

  private async step(source: Source): Promise<void> {
    const [wish, served] = [this.wishes.get(source), this.served.get(source)]
    if (!this.transport) return
    if (served && !(wish && served.producer)) await this.stop(source, served)
    if (!wish) return
    if (!served?.producer) return this.start(source, wish)
    const { id, producer, paused } = served
    if (producer.track !== wish.track) {
      wish.track.enabled = !wish.paused // before it is sent: who is muted stays so while he changes microphones
      await producer.replaceTrack({ track: wish.track })
    }
    if (wish.paused) producer.pause()
    else producer.resume()
    await paused.settle(wish.paused, () =>
      this.ask(wish.paused ? 'pauseProducer' : 'resumeProducer', { producerId: id }),
    )
  }

  private async start(source: Source, { track, paused }: Wish): Promise<void> {
    const opened = this.transport
    const transport = await opened?.()
    if (!transport) return
    track.enabled = !paused
    const producer = await transport.produce({
      ...producerOptions(source, track),
      appData: { source, paused },
    })
    if (this.transport !== opened) {
      producer.close()
      return
    }
    const { id } = producer
    this.served.set(source, {
      id,
      paused: new Acknowledged(paused),
      producer,
      limit: new LayerLimit(producer),
    })
  }

  private async stop(source: Source, served: Served): Promise<void> {
    served.producer?.close()
    served.producer = null
    try {
      await this.ask('closeProducer', { producerId: served.id })
    } catch (error) {
      if (asProblem(error).code !== 'producer_not_found') throw error
    }
    if (this.served.get(source) === served) this.served.delete(source)
  }
}
