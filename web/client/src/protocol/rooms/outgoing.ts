import type { types } from 'mediasoup-client'

import { asProblem } from '../problem'

import { producerOptions } from './encodings'
import { LayerLimit } from './layerLimit'
import type { Ask, OwnProducerInfo, Source } from './messages'
import { Serials } from './serial'

interface Wish {
  track: MediaStreamTrack
  paused: boolean
}

/**
 * What this participant sends. One says what it should be (`set`, `setPaused`); `sync` makes it so, now or when the
 * connection is back. Each source goes its own way, one step at a time.
 */
export class Outgoing {
  private readonly wishes = new Map<Source, Wish>()
  private readonly producers = new Map<Source, types.Producer>()
  private readonly limits = new WeakMap<types.Producer, LayerLimit>()
  private readonly queues = new Serials<Source>()
  private transport: (() => Promise<types.Transport>) | null = null

  constructor(
    private readonly ask: Ask,
    private readonly onFailed: (source: Source, problem: unknown) => void,
  ) {}

  /** The room is open: `transport` makes the send transport when the first track wants it. */
  open(transport: () => Promise<types.Transport>): void {
    this.transport = transport
    for (const source of this.wishes.keys()) void this.sync(source)
  }

  /** All media objects are gone; the wishes stay for the next `open`. */
  close(): void {
    this.transport = null
    for (const producer of this.producers.values()) producer.close()
    this.producers.clear()
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

  /** The own source behind an event of the server, for example when a host muted it. */
  sourceOf(producerId: string): Source | undefined {
    return [...this.producers].find(([, producer]) => producer.id === producerId)?.[0]
  }

  /** After a resume: what the server still has of ours stays, the rest is made anew, all is as wished. */
  async resume(known: OwnProducerInfo[]): Promise<void> {
    for (const [source, producer] of this.producers) {
      const info = known.find((one) => one.producerId === producer.id)
      if (!info) {
        producer.close()
        this.producers.delete(source)
        continue
      }
      if (info.paused !== producer.paused)
        await this.ask(pausing(producer.paused), { producerId: producer.id })
      if (typeof info.layersWanted === 'number') this.layersWanted(producer.id, info.layersWanted)
    }
    await Promise.all(
      [...new Set([...this.wishes.keys(), ...this.producers.keys()])].map((source) => this.sync(source)),
    )
  }

  /** So many sizes of it, from the smallest, are looked at. */
  layersWanted(producerId: string, count: number): void {
    const producer = [...this.producers.values()].find((one) => one.id === producerId)
    if (producer) this.limits.get(producer)?.want(count)
  }

  private sync(source: Source): Promise<void> {
    return this.queues.run(source, async () => {
      const { transport } = this
      try {
        await this.step(source)
      } catch (error) {
        // What was interrupted because all media objects went is done by the next `open`.
        if (this.transport === transport && asProblem(error).code !== 'connection_lost')
          this.onFailed(source, error)
      }
    })
  }

  private async step(source: Source): Promise<void> {
    const [wish, producer] = [this.wishes.get(source), this.producers.get(source)]
    if (!this.transport) return
    if (!wish) return producer && this.stop(source, producer)
    if (!producer) return this.start(source, wish)
    if (producer.track !== wish.track) await producer.replaceTrack({ track: wish.track })
    if (producer.paused === wish.paused) return
    if (wish.paused) producer.pause()
    else producer.resume()
    await this.ask(pausing(wish.paused), { producerId: producer.id })
  }

  private async start(source: Source, { track, paused }: Wish): Promise<void> {
    const transport = await this.transport?.()
    if (!transport) return
    track.enabled = !paused
    const producer = await transport.produce({
      ...producerOptions(source, track),
      appData: { source, paused },
    })
    this.producers.set(source, producer)
    this.limits.set(producer, new LayerLimit(producer))
    producer.observer.once('close', () => {
      if (this.producers.get(source) === producer) this.producers.delete(source)
    })
  }

  private async stop(source: Source, producer: types.Producer): Promise<void> {
    this.producers.delete(source)
    producer.close()
    await this.ask('closeProducer', { producerId: producer.id })
  }
}

const pausing = (paused: boolean): 'pauseProducer' | 'resumeProducer' =>
  paused ? 'pauseProducer' : 'resumeProducer'
