import type { types } from 'mediasoup-client'

import { asProblem } from '../problem'

import { Acknowledged } from './acknowledged'
import type { Ask, ConsumerInfo, ProducerEvent } from './messages'
import { Retries } from './retries'
import { Serials } from './serial'
import { steady } from './steadiness'

interface Held {
  consumer: types.Consumer
  layered: boolean
  flowing: Acknowledged<boolean>
  layer: Acknowledged<number>
  /** Null while the server's own order of priority holds. */
  priority: Acknowledged<number | null>
  starved: boolean
}

/**
 * How a video is shown: `layer` is the best of the sizes worth receiving, 0 the smallest; `first` puts it before all
 * others where the line is too narrow for everything.
 */
export interface Want {
  layer: number
  first?: boolean
}

export interface IncomingEvents {
  onTrack: (producer: ProducerEvent, track: MediaStreamTrack) => void
  onTrackEnded: (producerId: string) => void
  /** The line does not bear this picture at the moment; or does again. */
  onStarved: (producerId: string, starved: boolean) => void
}

const TOP_LAYER = 2
/** In a larger room a muted microphone waits until it is opened: of three hundred, everybody would else consume all. */
const ALL_EARS_UP_TO = 40
const FIRST = 255

/**
 * What this participant receives. What is heard is consumed at once and always; a video only while somebody looks
 * at it (`want`), in about the size in which it is looked at.
 */
export class Incoming {
  private readonly offers = new Map<string, ProducerEvent>()
  private readonly wants = new Map<string, Want>()
  private readonly held = new Map<string, Held>()
  /** The ids of consumers that the browser is making. */
  private readonly answered = new Set<string>()
  private readonly queues = new Serials<string>()
  private readonly retries = new Retries<string>((producerId) => this.sync(producerId))
  private transport: types.Transport | null = null
  private capabilities: types.RtpCapabilities | null = null
  private lossy = false

  constructor(
    private readonly ask: Ask,
    private readonly events: IncomingEvents,
  ) {}

  /** Whether there is nothing to receive. */
  get idle(): boolean {
    return [...this.offers.values()].every((offer) => !this.wanted(offer))
  }

  open(transport: types.Transport, capabilities: types.RtpCapabilities): void {
    this.transport = transport
    this.capabilities = capabilities
    for (const producerId of this.offers.keys()) void this.sync(producerId)
  }

  /** All media objects are gone; what one wants to see stays wanted. */
  close(): void {
    this.transport = null
    this.retries.clear()
    for (const producerId of [...this.held.keys()]) this.drop(producerId)
  }

  /** Exactly these are there now. */
  offerAll(producers: ProducerEvent[]): void {
    const ids = new Set(producers.map((producer) => producer.producerId))
    for (const producerId of [...this.offers.keys()]) if (!ids.has(producerId)) this.withdraw(producerId)
    for (const producer of producers) this.offer(producer)
  }

  offer(producer: ProducerEvent): void {
    this.offers.set(producer.producerId, producer)
    void this.sync(producer.producerId)
  }

  withdraw(producerId: string): void {
    this.offers.delete(producerId)
    this.drop(producerId)
  }

  want(producerId: string, want: Want | null): void {
    if (want) this.wants.set(producerId, want)
    else this.wants.delete(producerId)
    void this.sync(producerId)
  }

  consumerClosed(consumerId: string): void {
    const entry = [...this.held].find(([, held]) => held.consumer.id === consumerId)
    if (entry) this.drop(entry[0])
  }

  layersChanged(consumerId: string, spatialLayer: number | null): void {
    const entry = [...this.held].find(([, held]) => held.consumer.id === consumerId)
    if (entry) this.setStarved(...entry, spatialLayer === null)
  }

  /** Whether the own line loses many packets. */
  lineLoses(lossy: boolean): void {
    this.lossy = lossy
    for (const { consumer } of this.held.values()) steady(consumer.rtpReceiver, lossy)
  }

  /** After a resume: keep what the server still has, as it has it; the rest is consumed anew, or closed where it came to nobody. */
  resume(known: ConsumerInfo[]): void {
    for (const [producerId, held] of [...this.held]) {
      const info = known.find((one) => one.consumerId === held.consumer.id)
      if (info) {
        held.flowing.value = !info.paused
        this.setStarved(producerId, held, info.starved ?? false)
      } else this.drop(producerId)
    }
    const ours = new Set([...this.held.values()].map(({ consumer }) => consumer.id))
    for (const { consumerId } of known)
      if (!ours.has(consumerId) && !this.answered.has(consumerId))
        void this.ask('closeConsumer', { consumerId }).catch(() => undefined) // the next resume lists it again
    for (const producerId of this.offers.keys()) void this.sync(producerId)
  }

  private setStarved(producerId: string, held: Held, starved: boolean): void {
    if (held.starved === starved) return
    held.starved = starved
    this.events.onStarved(producerId, starved)
  }

  private drop(producerId: string): void {
    const held = this.held.get(producerId)
    if (!held) return
    this.held.delete(producerId)
    this.setStarved(producerId, held, false)
    held.consumer.close()
    this.events.onTrackEnded(producerId)
  }

  private sync(producerId: string): Promise<void> {
    return this.queues.run(producerId, async () => {
      try {
        await this.step(producerId)
      } catch (error) {
        const { code } = asProblem(error)
        // Gone while we asked: its closing is told, or the next join tells the whole.
        if (code === 'producer_not_found') this.offers.delete(producerId)
        else if (code === 'consumer_not_found') this.drop(producerId)
        else this.retries.after(error, producerId)
      }
    })
  }

  private async step(producerId: string): Promise<void> {
    const offer = this.offers.get(producerId)
    if (!offer || !this.transport) return
    const want = this.wanted(offer)
    const held = this.held.get(producerId) ?? (want && (await this.consume(offer)))
    if (!held) return
    const consumerId = held.consumer.id
    if (!want) {
      await held.flowing.settle(false, () => this.ask('pauseConsumer', { consumerId }))
      return
    }
    const { layer: spatialLayer, first } = want
    const priority = first ? FIRST : null
    await held.priority.settle(priority, () => this.ask('setPriority', { consumerId, priority }))
    if (held.layered)
      await held.layer.settle(spatialLayer, () =>
        this.ask('setPreferredLayers', { consumerId, spatialLayer }),
      )
    await held.flowing.settle(true, () => this.ask('resumeConsumer', { consumerId }))
  }

  private wanted({ kind, producerId, paused }: ProducerEvent): Want | undefined {
    if (kind === 'video') return this.wants.get(producerId)
    const listens = !paused || this.held.has(producerId) || this.offers.size <= ALL_EARS_UP_TO
    return listens ? { layer: TOP_LAYER } : undefined
  }

  private async consume(offer: ProducerEvent): Promise<Held | null> {
    const [transport, rtpCapabilities] = [this.transport, this.capabilities]
    if (!transport || !rtpCapabilities) return null
    const { peerId, producerId, source } = offer
    const answer = await this.ask('consume', { transportId: transport.id, producerId, rtpCapabilities })
    if (transport.closed) return null
    const streamId = `${peerId}-${source === 'camera' || source === 'microphone' ? 'person' : 'screen'}` // kept in sync by the browser
    this.answered.add(answer.id)
    const consumer = await transport
      .consume({ ...answer, streamId })
      .finally(() => this.answered.delete(answer.id))
    if (this.transport !== transport || !this.offers.has(producerId)) {
      consumer.close()
      return null
    }
    const held: Held = {
      consumer,
      layered: answer.type !== 'simple',
      flowing: new Acknowledged(false), // a consumer starts paused
      layer: new Acknowledged<number>(),
      priority: new Acknowledged<number | null>(null),
      starved: false,
    }
    this.held.set(producerId, held)
    steady(consumer.rtpReceiver, this.lossy)
    this.events.onTrack(offer, consumer.track)
    return held
  }
}
