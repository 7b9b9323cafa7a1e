import { Device, type types } from 'mediasoup-client'
import { io, type Socket } from 'socket.io-client'

import { ask } from '../acknowledge'
import { asProblem, NETWORK_UNREACHABLE, Problem } from '../problem'

import { ECHO_BITS, Loop } from './loop'
import { isDirect, serversOf, type Direct, type Way } from './ways'

/** What the server says at the beginning. */
export interface Begun {
  routerRtpCapabilities: types.RtpCapabilities
  iceServers: RTCIceServer[]
  relay: 'none' | 'available' | 'signedInOnly'
  mediaPort: number
  protocols: Direct[]
}

/** A browser gives a pair of addresses up after some fifteen seconds by itself. */
const PATH_MS = 15_000
const SERVER_MS = 10_000
/** How a server is reached: to where no WebSocket leads, a meeting's connection is made by long polling in the end (`Line`). */
type Reach = 'websocket' | 'polling'

/** One run against `/connection-test`: one's own track there and back. */
export class ConnectionTest {
  private readonly socket: Socket
  private device: Device | null = null
  private begun: Begun | null = null
  private readonly transports = new Set<types.Transport>()

  constructor(locale: string, url = '') {
    this.socket = io(`${url}/connection-test`, {
      auth: { locale },
      reconnection: false,
      timeout: SERVER_MS,
      forceNew: true,
      autoConnect: false,
    })
  }

  /** Rejects with a Problem where nothing gets through, or the server lets nobody in. */
  async connect(): Promise<Reach> {
    try {
      await this.reach('websocket')
      return 'websocket'
    } catch (error) {
      if (asProblem(error).code !== NETWORK_UNREACHABLE) throw error
    }
    await this.reach('polling')
    return 'polling'
  }

  private reach(by: Reach): Promise<void> {
    this.socket.io.opts.transports = [by]
    this.socket.removeAllListeners()
    return new Promise((done, failed) => {
      this.socket.once('connect', done)
      this.socket.once('connect_error', (error: Error & { data?: { code?: string; message?: string } }) =>
        failed(new Problem(error.data?.code ?? NETWORK_UNREACHABLE, error.data?.message)),
      )
      this.socket.connect()
    })
  }

  async begin(): Promise<Begun> {
    this.begun = await this.ask<Begun>('begin', {})
    const device = new Device()
    await device.load({ routerRtpCapabilities: this.begun.routerRtpCapabilities })
    this.device = device
    return this.begun
  }

  /** A path there and back by `way` alone, on which nothing is sent yet; null where none is found. */
  async open(way: Way, track: MediaStreamTrack): Promise<Loop | null> {
    const { device } = this
    if (!device) throw new Problem('connection_lost')
    const [send, recv] = await Promise.all([
      this.transport(device, 'send', way),
      this.transport(device, 'recv', way),
    ])
    const release = (): Promise<void> => this.release(send, recv)
    try {
      const producer = await send.produce({
        track,
        stopTracks: false,
        encodings: [{ active: false, maxBitrate: ECHO_BITS }],
        codecOptions: { videoGoogleStartBitrate: ECHO_BITS / 1000 },
      })
      const options = await this.ask<types.ConsumerOptions>('consume', {
        transportId: recv.id,
        producerId: producer.id,
        rtpCapabilities: device.recvRtpCapabilities,
      })
      const consumer = await recv.consume(options)
      const paths = await Promise.all([connected(send), connected(recv)])
      if (paths.includes(false)) return await release().then(() => null)
      const resume = (): Promise<unknown> => this.ask('resumeConsumer', { consumerId: consumer.id })
      return new Loop(send, producer, consumer, resume, release)
    } catch (error) {
      await release()
      throw error
    }
  }

  close(): void {
    this.socket.removeAllListeners()
    this.socket.disconnect()
    for (const transport of this.transports) transport.close()
    this.transports.clear()
  }

  private async transport(device: Device, direction: 'send' | 'recv', way: Way): Promise<types.Transport> {
    const answer = await this.ask<types.TransportOptions>('createTransport', {
      direction,
      ...(isDirect(way) && { protocol: way }),
    })
    const options: types.TransportOptions = {
      ...answer,
      iceServers: serversOf(way, this.begun?.iceServers ?? []),
      ...(!isDirect(way) && { iceTransportPolicy: 'relay' as const }),
    }
    const transport =
      direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options)
    this.transports.add(transport)
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      this.ask('connectTransport', { transportId: transport.id, dtlsParameters }).then(done, failed)
    })
    transport.on('produce', ({ kind, rtpParameters }, done, failed) => {
      this.ask<{ id: string }>('produce', { transportId: transport.id, kind, rtpParameters }).then(
        done,
        failed,
      )
    })
    return transport
  }

  private async release(...transports: types.Transport[]): Promise<void> {
    for (const transport of transports) {
      transport.close()
      this.transports.delete(transport)
      await this.ask('closeTransport', { transportId: transport.id }).catch(() => undefined)
    }
  }

  /** Without a connection, which does not come back, an answer would be waited for in vain. */
  private ask<Data>(event: string, payload: unknown): Promise<Data> {
    if (!this.socket.connected) return Promise.reject(new Problem('connection_lost'))
    return ask<Data>(this.socket, event, payload)
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
