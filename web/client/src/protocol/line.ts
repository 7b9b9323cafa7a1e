import { io, type Socket } from 'socket.io-client'

import { ask } from './acknowledge'
import { NETWORK_UNREACHABLE, Problem, problemFrom, TIMED_OUT } from './problem'

export interface LineOptions {
  namespace: string
  auth: Record<string, string>
  /** Another server than the page's own, for tests. */
  url?: string | undefined
}

export interface LineEvents {
  /** For the first time or again. */
  onConnected: () => void
  onLost: () => void
  /** The server lets this one not in: no further attempt makes sense. */
  onRefused: (problem: Problem) => void
}

/** After the server itself closed the connection, Socket.IO leaves coming back to us. */
const RETURN_MS = 1000
/**
 * After so many failures in a row, some fifteen seconds, each attempt begins with long polling and goes on to a WebSocket
 * from there: Firefox holds back WebSockets to where others have failed, for up to a minute after the server is back, and
 * there are networks that let none through.
 */
const POLLS_AFTER = 6
/** The server pings every ten seconds. */
const STALE_MS = 20_000
/** What passes by itself: the network, a busy server, one that is about to restart, and its database. */
const PASSING = new Set([
  TIMED_OUT,
  NETWORK_UNREACHABLE,
  'rate_limited',
  'server_draining',
  'room_busy',
  'internal_error',
  'database_busy',
  'database_unavailable',
])

/** How long to wait before what was refused is asked again; null where waiting does not help. */
export function againInMs({ code, details: { retryAfter } }: Problem, unasked = RETURN_MS): number | null {
  if (!PASSING.has(code)) return null
  return typeof retryAfter === 'number' ? retryAfter * 1000 : unasked
}

const ways = (failures: number): string[] =>
  failures < POLLS_AFTER ? ['websocket', 'polling'] : ['polling', 'websocket']

/** A connection to one namespace that comes back by itself until it is closed or refused. */
export class Line {
  readonly socket: Socket
  private returnMs = RETURN_MS
  private timer: ReturnType<typeof setTimeout> | undefined
  private opened = false
  private heardAt = 0
  private failures = 0

  constructor(
    { namespace, auth, url = '' }: LineOptions,
    private readonly events: LineEvents,
  ) {
    this.socket = io(url + namespace, {
      auth,
      transports: ways(0),
      reconnectionDelay: 500,
      reconnectionDelayMax: 4000,
      timeout: 10_000,
      forceNew: true,
      autoConnect: false,
    })
    const heard = (): void => void (this.heardAt = Date.now())
    this.socket.io.on('open', heard)
    this.socket.io.on('open', () => this.count(0))
    this.socket.io.on('error', () => this.count(this.failures + 1))
    this.socket.io.on('ping', heard)
    this.socket.on('connect', () => {
      this.returnMs = RETURN_MS
      events.onConnected()
    })
    this.socket.on('disconnect', (reason) =>
      this.lost(reason === 'io server disconnect' ? this.returnMs : null),
    )
    this.socket.on('connect_error', (error: Error & { data?: unknown }) => this.failed(error.data))
    this.socket.on('serverDraining', ({ reconnectAfterMs }: { reconnectAfterMs: number }) => {
      this.returnMs = reconnectAfterMs
    })
  }

  get connected(): boolean {
    return this.socket.connected
  }

  /** Rejects with a Problem; at once where there is no connection, because an old question is worth nothing later. */
  ask<Data>(event: string, payload: unknown, milliseconds?: number): Promise<Data> {
    if (!this.connected) return Promise.reject(new Problem('connection_lost'))
    return ask<Data>(this.socket, event, payload, milliseconds)
  }

  open(): void {
    this.opened = true
    this.socket.connect()
  }

  /** What is said to be there answers no more. */
  renew(): void {
    if (this.connected) this.reconnect()
  }

  private count(failures: number): void {
    this.failures = failures
    this.socket.io.opts.transports = ways(failures)
  }

  /** Without the pauses that Socket.IO makes between its attempts, and instead of one that may hang. */
  private reconnect(): void {
    if (!this.opened) return
    clearTimeout(this.timer)
    this.socket.disconnect().connect()
  }

  /** No pause is waited out, and no connection trusted that a sleep or a change of the network may have killed unnoticed. */
  wake(networkBack: boolean): void {
    const trusted = this.connected && !networkBack && Date.now() - this.heardAt < STALE_MS
    if (!trusted) this.reconnect()
  }

  close(): void {
    this.opened = false
    clearTimeout(this.timer)
    this.socket.removeAllListeners()
    this.socket.disconnect()
  }

  /** Without `refusal` nobody answered. */
  private failed(refusal: unknown): void {
    if (!refusal) {
      this.lost(this.socket.active ? null : this.returnMs)
      return
    }
    const problem = problemFrom({ error: refusal })
    const wait = againInMs(problem, this.returnMs)
    this.lost(wait)
    if (wait === null) this.events.onRefused(problem)
  }

  /** After `wait` ms it is tried again, where Socket.IO does not do so by itself. */
  private lost(wait: number | null): void {
    clearTimeout(this.timer)
    this.events.onLost()
    if (wait !== null && this.opened) this.timer = setTimeout(() => this.socket.connect(), wait)
  }
}
