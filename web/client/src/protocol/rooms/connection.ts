import { againInMs, Line } from '../line'
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
/** Some round trips of a slow line. Whose farewell is not heard is gone after the grace period. */
const FAREWELL_MS = 1000

/** Keeps one participant connected to one room: joins, comes back with the resume token, waits for the beginning. */
export class RoomConnection {
  private readonly line: Line
  private resumeToken = ''
  private timer: ReturnType<typeof setTimeout> | undefined
  private closed = false

  constructor(
    private readonly options: RoomConnectionOptions,
    private readonly events: RoomConnectionEvents,
  ) {
    const { token, locale, url } = options
    this.line = new Line(
      { namespace: '/rooms', auth: { ...(token && { token }), ...(locale && { locale }) }, url },
      {
        onConnected: () => void this.join(),
        onLost: () => this.lost(),
        onRefused: events.onRefused,
      },
    )
    for (const event of ROOM_EVENTS)
      this.line.socket.on(event, (payload: RoomEvents[typeof event]) => this.received(event, payload))
  }

  open(): void {
    this.line.open()
  }

  /** As the line's own. */
  ask: Ask = async (event, payload) => {
    try {
      return await this.line.ask(event, payload, this.options.answerMs)
    } catch (error) {
      if (asProblem(error).code !== TIMED_OUT) throw error
      // Nobody knows whether it was heard: the answer to the next join says what the server has.
      this.line.renew()
      throw new Problem('connection_lost')
    }
  }

  /** The page is shown again, or the network is back. */
  wake(networkBack: boolean): void {
    this.line.wake(networkBack)
  }

  /** As somebody new: what the server holds for the present participant is given up. */
  async rejoin(): Promise<void> {
    this.resumeToken = ''
    await this.ask('leave', {}).catch(() => undefined)
    await this.join()
  }

  /** Never waits long, because who hangs up wants to be gone: on a line that is half dead no answer comes. */
  async farewell(): Promise<void> {
    this.closed = true
    await this.line.ask('leave', {}, FAREWELL_MS).catch(() => undefined)
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    this.line.close()
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
    this.events.onJoined(answer)
  }

  private refused(problem: Problem): void {
    if (this.closed || !this.line.connected) return // the next connection joins anew
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
    this.events.onEvent(event, payload)
  }

  private lost(): void {
    clearTimeout(this.timer)
    this.events.onLost()
  }

  private later(action: () => void, milliseconds: number): void {
    clearTimeout(this.timer)
    if (!this.closed) this.timer = setTimeout(action, milliseconds)
  }
}
