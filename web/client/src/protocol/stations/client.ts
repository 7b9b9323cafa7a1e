import { againInMs, Line } from '../line'
import { asProblem, TIMED_OUT, type Problem } from '../problem'

import type { StationCalls, StationEvents } from './messages'

type Handlers = { [Event in keyof StationEvents]?: (payload: StationEvents[Event]) => void }

export interface StationsOptions {
  /** A ticket token; without it the session or station cookie says who it is. */
  token?: string
  handlers: Handlers
  /** Another server than the page's own, for tests. */
  url?: string
  /** Connected, or connected again: asks anew for whatever is watched. What fails for a passing reason is asked again. */
  watch: () => Promise<void>
  /** It was refused, and waiting does not help. */
  onUnwatched: (problem: Problem) => void
  onDisconnected: () => void
  /** The server does not know this token or session: no further attempt makes sense. */
  onRefused: (problem: Problem) => void
}

/** The namespace /stations: tickets for residents, the queue for experts. Reconnects by itself. */
export class StationsClient {
  private readonly line: Line
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Of how many asked what is watched; an answer to any but the last comes too late. */
  private watching = 0

  constructor(private readonly options: StationsOptions) {
    const { token, handlers, url, onDisconnected, onRefused } = options
    this.line = new Line(
      { namespace: '/stations', auth: token ? { token } : {}, url },
      {
        onConnected: () => void this.watch(),
        onLost: () => {
          clearTimeout(this.timer)
          onDisconnected()
        },
        onRefused,
      },
    )
    for (const [event, handler] of Object.entries(handlers)) {
      this.line.socket.on(event, handler as (payload: unknown) => void)
    }
    this.line.open()
  }

  ask<Event extends keyof StationCalls>(
    event: Event,
    payload: StationCalls[Event][0],
  ): Promise<StationCalls[Event][1]> {
    return this.line.ask(event, payload)
  }

  /** The page is shown again, or the network is back. */
  wake(networkBack: boolean): void {
    this.line.wake(networkBack)
  }

  close(): void {
    clearTimeout(this.timer)
    this.line.close()
  }

  private async watch(): Promise<void> {
    const turn = ++this.watching
    try {
      await this.options.watch()
    } catch (error) {
      if (turn === this.watching && this.line.connected) this.unwatched(asProblem(error))
    }
  }

  private unwatched(problem: Problem): void {
    const wait = againInMs(problem)
    if (problem.code === TIMED_OUT)
      this.line.renew() // nobody knows whether it was heard
    else if (wait !== null) this.timer = setTimeout(() => void this.watch(), wait)
    else this.options.onUnwatched(problem)
  }
}
