import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import {
  generateConsumerRemoteParameters,
  generateRouterRtpCapabilities,
  generateTransportRemoteParameters,
} from 'mediasoup-client/fakeParameters'
import { Server, type Socket } from 'socket.io'

import type { JoinAnswer } from '@/protocol/rooms/messages'

export interface Asked {
  event: string
  payload: Record<string, unknown>
}

type Answer = (payload: Record<string, unknown>, socket: Socket) => unknown

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

/** The server's half of /rooms over a real socket: answers as the test says, remembers what was asked. */
export class RoomServer {
  readonly asked: Asked[] = []
  readonly answers: Record<string, Answer> = {
    join: () => ({ ok: true, data: admitted() }),
    createTransport: () => ({
      ok: true,
      data: { ...generateTransportRemoteParameters(), id: this.nextId('transport') },
    }),
    produce: () => ({ ok: true, data: { id: this.nextId('producer') } }),
    consume: ({ producerId }) => {
      const audio = String(producerId).includes('microphone')
      const options = generateConsumerRemoteParameters({ codecMimeType: audio ? 'audio/opus' : 'video/VP8' })
      const type = audio ? 'simple' : 'simulcast'
      return {
        ok: true,
        data: { ...options, id: this.nextId('consumer'), producerId, type, producerPaused: false },
      }
    },
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
          acknowledge(this.answers[event]?.(payload, socket) ?? { ok: true, data: {} })
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

  payloads(event: string): Record<string, unknown>[] {
    return this.asked.filter((one) => one.event === event).map((one) => one.payload)
  }

  /** Waits until `event` was asked `times` times. */
  async until(event: string, times = 1): Promise<Record<string, unknown>[]> {
    while (this.payloads(event).length < times)
      await new Promise<void>((resolve) => this.changed.push(resolve))
    return this.payloads(event)
  }

  private nextId(noun: string): string {
    this.ids += 1
    return `${noun}-${this.ids}`
  }
}
