import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import {
  generateConsumerRemoteParameters,
  generateRouterRtpCapabilities,
  generateTransportRemoteParameters,
} from 'mediasoup-client/fakeParameters'
import { Server, type Socket } from 'socket.io'

import type {
  ConsumerInfo,
  Direction,
  JoinAnswer,
  OwnProducerInfo,
  PeerInfo,
} from '@/protocol/rooms/messages'

export interface Asked {
  event: string
  payload: Record<string, unknown>
}

type Answer = (payload: Record<string, unknown>, socket: Socket) => unknown

/** No answer at all. */
export const SILENCE = Symbol('silence')

export const refusal = (code: string, details: Record<string, unknown> = {}): unknown => ({
  ok: false,
  error: { code, message: 'in words', details },
})

export const admitted = (more: Partial<JoinAnswer> = {}): JoinAnswer => ({
  peerId: 'me',
  resumeToken: 'token-1',
  state: 'admitted',
  role: 'participant',
  routerRtpCapabilities: generateRouterRtpCapabilities(),
  iceServers: [],
  peers: [],
  meeting: null,
  recording: null,
  ...more,
})

const ok = (data: unknown = {}): unknown => ({ ok: true, data })

interface OnTransport<Info> {
  transportId: string
  info: Info
}

/**
 * The server's half of /rooms over a real socket: keeps what one participant has there, answers as the test says,
 * remembers what was asked.
 */
export class RoomServer {
  readonly asked: Asked[] = []
  readonly transports = new Map<string, Direction>()
  readonly producers = new Map<string, OnTransport<OwnProducerInfo>>()
  readonly consumers = new Map<string, OnTransport<ConsumerInfo>>()
  peers: PeerInfo[] = []
  readonly answers: Record<string, Answer> = {
    join: ({ resumeToken }) => {
      if (!resumeToken) this.forget()
      return ok(admitted({ peers: this.peers, ...(resumeToken ? this.kept() : {}) }))
    },
    createTransport: ({ direction }) => {
      const id = this.nextId('transport')
      this.transports.set(id, direction as Direction)
      return ok({ ...generateTransportRemoteParameters(), id })
    },
    closeTransport: ({ transportId }) => {
      if (!this.transports.delete(String(transportId))) return refusal('transport_not_found')
      for (const objects of [this.producers, this.consumers])
        for (const [id, object] of objects) if (object.transportId === transportId) objects.delete(id)
      return ok()
    },
    produce: ({ transportId, kind, source, paused }) => {
      if (!this.transports.has(String(transportId))) return refusal('transport_not_found')
      if ([...this.producers.values()].some(({ info }) => info.source === source))
        return refusal('source_in_use', { source })
      const producerId = this.nextId('producer')
      const info = { producerId, kind, source, paused } as OwnProducerInfo
      this.producers.set(producerId, { transportId: String(transportId), info })
      return ok({ id: producerId })
    },
    pauseProducer: ({ producerId }) => this.pause(this.producers, producerId, true),
    resumeProducer: ({ producerId }) => this.pause(this.producers, producerId, false),
    closeProducer: ({ producerId }) =>
      this.producers.delete(String(producerId)) ? ok() : refusal('producer_not_found'),
    consume: ({ transportId, producerId }) => {
      if (!this.transports.has(String(transportId))) return refusal('transport_not_found')
      const audio = String(producerId).includes('microphone')
      const options = generateConsumerRemoteParameters({ codecMimeType: audio ? 'audio/opus' : 'video/VP8' })
      const type = audio ? 'simple' : 'simulcast'
      const consumerId = this.nextId('consumer')
      const info = { consumerId, producerId: String(producerId), paused: true, producerPaused: false }
      this.consumers.set(consumerId, { transportId: String(transportId), info })
      return ok({ ...options, id: consumerId, producerId, type, producerPaused: false })
    },
    pauseConsumer: ({ consumerId }) => this.pause(this.consumers, consumerId, true),
    resumeConsumer: ({ consumerId }) => this.pause(this.consumers, consumerId, false),
    closeConsumer: ({ consumerId }) =>
      this.consumers.delete(String(consumerId)) ? ok() : refusal('consumer_not_found'),
  }
  private readonly http = createServer()
  private readonly io = new Server(this.http)
  private ids = 0
  private changed: (() => void)[] = []

  async start(): Promise<string> {
    this.io.of('/rooms').on('connection', (socket) => {
      socket.onAny(
        (event: string, payload: Record<string, unknown>, acknowledge: (answer: unknown) => void) => {
          this.asked.push({ event, payload })
          const answer = this.answers[event]?.(payload, socket) ?? ok()
          if (answer !== SILENCE) acknowledge(answer)
          for (const wake of this.changed.splice(0)) wake()
        },
      )
    })
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    await this.io.close()
  }

  tell(event: string, payload: unknown): void {
    this.io.of('/rooms').emit(event, payload)
  }

  /** Cuts every connection as a dead network does: the client comes back by itself. */
  cut(): void {
    for (const socket of this.io.of('/rooms').sockets.values()) socket.conn.close()
  }

  /** As after a restart. */
  forget(): void {
    for (const objects of [this.transports, this.producers, this.consumers]) objects.clear()
  }

  payloads(event: string): Record<string, unknown>[] {
    return this.asked.filter((one) => one.event === event).map((one) => one.payload)
  }

  /** Waits until `event` was asked `times` times. */
  async until(event: string, times = 1): Promise<Record<string, unknown>[]> {
    while (this.payloads(event).length < times)
      await new Promise<void>((resolve) => this.changed.push(resolve))
    return this.payloads(event)
  }

  /** Does to the next of these events what the test says, once. */
  once(event: string, answer: (usual: () => unknown, socket: Socket) => unknown): void {
    const before = this.answers[event]
    this.answers[event] = (payload, socket) => {
      this.answers[event] = before ?? (() => undefined)
      return answer(() => before?.(payload, socket), socket)
    }
  }

  /** What the answer to a resume lists. */
  private kept(): Partial<JoinAnswer> {
    return {
      resumed: true,
      transports: [...this.transports].map(([transportId, direction]) => ({ transportId, direction })),
      producers: [...this.producers.values()].map(({ info }) => ({ ...info })),
      consumers: [...this.consumers.values()].map(({ info }) => ({ ...info })),
    }
  }

  private pause(
    objects: ReadonlyMap<string, OnTransport<{ paused: boolean }>>,
    id: unknown,
    paused: boolean,
  ): unknown {
    const object = objects.get(String(id))
    if (!object) return refusal(objects === this.producers ? 'producer_not_found' : 'consumer_not_found')
    object.info.paused = paused
    return ok()
  }

  private nextId(noun: string): string {
    this.ids += 1
    return `${noun}-${this.ids}`
  }
}
