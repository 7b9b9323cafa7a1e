import { io, type Socket } from 'socket.io-client'

import { ask } from '../acknowledge'
import { asProblem, Problem, TIMED_OUT } from '../problem'

import { ROOM_EVENTS, type Ask, type JoinAnswer, type RoomEventName, type RoomEvents } from './messages'

export interface RoomConnectionOptions {
  roomId: string
  displayName?: string
  /** A room token, where no session cookie says who it is. */
  token?: string
  locale?: string
  /** Not to be in the picture of the recording. It goes with every join, so a restarted server knows it too. */
  recordPicture?: false
  /** Another server than the page's own, for tests. */
  url?: string
  /** How long to wait before asking again whether the meeting has begun. */
  notBegunRetryMs?: number
  /** How long the server may take for an answer. */
  answerMs?: number
}

export interface RoomConnectionEvents {
  /** In the room or its lobby, for the first time or again. */
  onJoined: (answer: JoinAnswer) => void
  /** The host has not come yet; it asks again by itself. */
  onNotBegun: (startsAt: string | null) => void
  onLost: () => void
  onEvent: <Event extends RoomEventName>(event: Event, payload: RoomEvents[Event]) => void
  /** No further attempt makes sense. */
  onRefused: (problem: Problem) => void
}

const NOT_BEGUN_RETRY_MS = 5000
/** After the server itself closed the connection, Socket.IO leaves coming back to us. */
const RETURN_MS = 1000
/** The server pings every ten seconds. */
const STALE_MS = 20_000
/** What passes by itself: the network, a busy server, one that is about to restart. */
const PASSING = new Set([
  'timed_out',
  'network_unreachable',
  'rate_limited',
  'server_draining',
  'room_busy',
  'internal_error',
])

/** How long to wait before what was refused is asked again; null where waiting does not help. */
export function againInMs({ code, details: { retryAfter } }: Problem): number | null {
  if (!PASSING.has(code)) return null
  return typeof retryAfter === 'number' ? retryAfter * 1000 : RETURN_MS
}

/** Keeps one participant connected to one room: joins, comes back with the resume token, waits for the beginning. */
export class RoomConnection {
  private readonly socket: Socket
  private resumeToken = ''
  private returnMs = RETURN_MS
  private timer: ReturnType<typeof setTimeout> | undefined
  private opened = false
  private closed = false
  private heardAt = 0

  constructor(
    private readonly options: RoomConnectionOptions,
    private readonly events: RoomConnectionEvents,
  ) {
    const { token, locale } = options
    this.socket = io(`${options.url ?? ''}/rooms`, {
      auth: { ...(token && { token }), ...(locale && { locale }) },
      transports: ['websocket', 'polling'],
      reconnectionDelay: 500,
      reconnectionDelayMax: 4000,
      timeout: 10_000,
      forceNew: true,
      autoConnect: false,
    })
    const heard = (): void => void (this.heardAt = Date.now())
    this.socket.io.on('open', heard)
    this.socket.io.on('ping', heard)
    this.socket.on('connect', () => void this.join())
    this.socket.on('disconnect', (reason) => this.disconnected(reason))
    this.socket.on('connect_error', (error: Error & { data?: { code?: string; message?: string } }) =>
      this.failed(error.data),
    )
    for (const event of ROOM_EVENTS)
      this.socket.on(event, (payload: RoomEvents[typeof event]) => this.received(event, payload))
  }

  open(): void {
    this.opened = true
    this.socket.connect()
  }

  /** Rejects with a Problem; at once where there is no connection, because an old question is worth nothing later. */
  ask: Ask = async (event, payload) => {
    if (!this.socket.connected) throw new Problem('connection_lost')
    try {
      return await ask(this.socket, event, payload, this.options.answerMs)
    } catch (error) {
      if (asProblem(error).code !== TIMED_OUT) throw error
      // Nobody knows whether it was heard: the answer to the next join says what the server has.
      this.renew()
      throw new Problem('connection_lost')
    }
  }

  private renew(): void {
    if (this.socket.connected) this.reconnect()
  }

  /** Without the pauses that Socket.IO makes between its attempts, and instead of one that may hang. */
  private reconnect(): void {
    clearTimeout(this.timer)
    this.socket.disconnect().connect()
  }

  /** No pause is waited out, and no connection trusted that a sleep or a change of the network may have killed unnoticed. */
  wake(networkBack: boolean): void {
    if (!this.opened || this.closed) return
    const trusted = this.socket.connected && !networkBack && Date.now() - this.heardAt < STALE_MS
    if (!trusted) this.reconnect()
  }

  /** As somebody new: what the server holds for the present participant is given up. */
  async rejoin(): Promise<void> {
    this.resumeToken = ''
    await this.ask('leave', {}).catch(() => undefined)
    await this.join()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    this.socket.removeAllListeners()
    this.socket.disconnect()
  }

  private async join(): Promise<void> {
    const { roomId, displayName } = this.options
    try {
      const answer = await this.ask('join', {
        meetingId: roomId,
        ...(displayName && { displayName }),
        ...(this.resumeToken && { resumeToken: this.resumeToken }),
        ...(this.options.recordPicture !== undefined && { recordPicture: this.options.recordPicture }),
      })
      this.accept(answer)
    } catch (error) {
      this.refused(asProblem(error))
    }
  }

  private accept(answer: JoinAnswer): void {
    if (this.closed) return
    this.resumeToken = answer.resumeToken
    this.returnMs = RETURN_MS
    this.events.onJoined(answer)
  }

  private refused(problem: Problem): void {
    if (this.closed || !this.socket.connected) return // the next connection joins anew
    const wait = againInMs(problem)
    if (problem.code === 'meeting_not_started') {
      const { startsAt } = problem.details
      this.events.onNotBegun(typeof startsAt === 'string' ? startsAt : null)
      this.later(() => void this.join(), this.options.notBegunRetryMs ?? NOT_BEGUN_RETRY_MS)
    } else if (wait !== null) this.later(() => void this.join(), wait)
    else this.events.onRefused(problem)
  }

  private received<Event extends RoomEventName>(event: Event, payload: RoomEvents[Event]): void {
    if (event === 'admitted') this.resumeToken = (payload as RoomEvents['admitted']).resumeToken
    if (event === 'serverDraining') this.returnMs = (payload as RoomEvents['serverDraining']).reconnectAfterMs
    this.events.onEvent(event, payload)
  }

  private disconnected(reason: string): void {
    clearTimeout(this.timer)
    this.events.onLost()
    if (reason === 'io server disconnect') this.later(() => this.socket.connect(), this.returnMs)
  }

  private failed(data: { code?: string; message?: string } | undefined): void {
    this.events.onLost()
    if (this.socket.active) return // Socket.IO tries again by itself
    const problem = new Problem(data?.code ?? 'connection_lost', data?.message ?? '')
    if (data?.code && !PASSING.has(data.code)) this.events.onRefused(problem)
    else this.later(() => this.socket.connect(), this.returnMs)
  }

  private later(action: () => void, milliseconds: number): void {
    clearTimeout(this.timer)
    if (!this.closed) this.timer = setTimeout(action, milliseconds)
  }
}
