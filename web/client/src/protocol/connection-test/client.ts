import { Device, type types } from 'mediasoup-client'
import { io, type Socket } from 'socket.io-client'

import { ask } from '../acknowledge'
import { Problem } from '../problem'

import { measured, type Counts, type Quality } from './quality'

export type Way = 'udp' | 'tcp' | 'relay'

/** What the server says at the beginning. */
export interface Begun {
  routerRtpCapabilities: types.RtpCapabilities
  iceServers: RTCIceServer[]
  relay: 'none' | 'available' | 'signedInOnly'
  mediaPort: number
  protocols: ('udp' | 'tcp')[]
}

/** A browser gives a pair of addresses up after some ten seconds by itself. */
const PATH_MS = 12_000
const SERVER_MS = 10_000
/** As much as a good camera; less is what the line, not we, allows. */
const MOST_BITS = 2_500_000

/** One run against `/connection-test`: one's own track there and back. */
export class ConnectionTest {
  private readonly socket: Socket
  private device = new Device()
  private begun: Begun | null = null

  constructor(locale: string, url = '') {
    this.socket = io(`${url}/connection-test`, {
      auth: { locale },
      transports: ['websocket'],
      reconnection: false,
      timeout: SERVER_MS,
      forceNew: true,
      autoConnect: false,
    })
  }

  /** Rejects with a Problem where no WebSocket gets through, or the server lets nobody in. */
  open(): Promise<void> {
    return new Promise((done, failed) => {
      this.socket.once('connect', done)
      this.socket.once('connect_error', (error: Error & { data?: { code?: string; message?: string } }) =>
        failed(new Problem(error.data?.code ?? 'network_unreachable', error.data?.message)),
      )
      this.socket.connect()
    })
  }

  async begin(): Promise<Begun> {
    this.begun = await ask<Begun>(this.socket, 'begin', {})
    this.device = new Device()
    await this.device.load({ routerRtpCapabilities: this.begun.routerRtpCapabilities })
    return this.begun
  }

  /** A way for media there and back by `way` alone; null where nothing gets through. */
  async through(way: Way, track: MediaStreamTrack): Promise<Loop | null> {
    const send = await this.transport('send', way)
    const producer = await send.produce({
      track,
      stopTracks: false,
      encodings: [{ maxBitrate: MOST_BITS }],
      codecOptions: { videoGoogleStartBitrate: 1000 },
    })
    const recv = (await connected(send)) ? await this.transport('recv', way) : null
    if (recv) {
      const options = await ask<types.ConsumerOptions>(this.socket, 'consume', {
        transportId: recv.id,
        producerId: producer.id,
        rtpCapabilities: this.device.recvRtpCapabilities,
      })
      const consumer = await recv.consume(options)
      await ask(this.socket, 'resumeConsumer', { consumerId: consumer.id })
      if (await connected(recv)) return new Loop(send, producer, consumer, () => this.release(send, recv))
    }
    await this.release(send, recv)
    return null
  }

  close(): void {
    this.socket.removeAllListeners()
    this.socket.disconnect()
  }

  private async transport(direction: 'send' | 'recv', way: Way): Promise<types.Transport> {
    const answer = await ask<types.TransportOptions>(this.socket, 'createTransport', {
      direction,
      ...(way !== 'relay' && { protocol: way }),
    })
    const options: types.TransportOptions = {
      ...answer,
      iceServers: way === 'relay' ? (this.begun?.iceServers ?? []) : [],
      ...(way === 'relay' && { iceTransportPolicy: 'relay' as const }),
    }
    const transport =
      direction === 'send'
        ? this.device.createSendTransport(options)
        : this.device.createRecvTransport(options)
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      ask(this.socket, 'connectTransport', { transportId: transport.id, dtlsParameters }).then(done, failed)
    })
    transport.on('produce', ({ kind, rtpParameters }, done, failed) => {
      ask<{ id: string }>(this.socket, 'produce', { transportId: transport.id, kind, rtpParameters }).then(
        done,
        failed,
      )
    })
    return transport
  }

  private async release(...transports: (types.Transport | null)[]): Promise<void> {
    for (const transport of transports) {
      if (!transport) continue
      transport.close()
      await ask(this.socket, 'closeTransport', { transportId: transport.id }).catch(() => undefined)
    }
  }
}

/** A way on which media flows. */
export class Loop {
  constructor(
    private readonly send: types.Transport,
    private readonly producer: types.Producer,
    private readonly consumer: types.Consumer,
    readonly close: () => Promise<void>,
  ) {}

  /** What the line bears, over so many seconds; `onSecond` tells how far it is, 0 to 1. */
  async measure(seconds: number, onSecond: (share: number) => void): Promise<Quality> {
    const first = await this.counts()
    for (let second = 1; second <= seconds; second++) {
      await new Promise((done) => setTimeout(done, 1000))
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
    const read = (report: RTCStatsReport, type: string): Record<string, unknown> =>
      ([...report.values()] as { type: string; nominated?: boolean }[]).find(
        (one) => one.type === type && one.nominated !== false,
      ) ?? {}
    const number = (from: Record<string, unknown>, name: string): number =>
      typeof from[name] === 'number' ? from[name] : 0
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
      lostDown: number(got, 'packetsLost'),
      jitter: number(got, 'jitter'),
      roundTrip: number(read(path, 'candidate-pair'), 'currentRoundTripTime'),
    }
  }
}

/** Whether the transport gets connected; it answers as soon as that is known. */
function connected(transport: types.Transport): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(false), PATH_MS)
    const look = (state: types.ConnectionState): void => {
      if (state !== 'connected' && state !== 'failed' && state !== 'closed') return
      clearTimeout(timer)
      done(state === 'connected')
    }
    transport.on('connectionstatechange', look)
    look(transport.connectionState)
  })
}
