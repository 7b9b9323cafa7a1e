import { Line } from '../line'
import type { Problem } from '../problem'

import type { StationCalls, StationEvents } from './messages'

type Handlers = { [Event in keyof StationEvents]?: (payload: StationEvents[Event]) => void }

export interface StationsOptions {
  /** A ticket token; without it the session or station cookie says who it is. */
  token?: string
  handlers: Handlers
  /** Another server than the page's own, for tests. */
  url?: string
  /** Connected, or connected again: ask anew for whatever is watched. */
  onConnected: () => void
  onDisconnected: () => void
  /** The server does not know this token or session: no further attempt makes sense. */
  onRefused: (problem: Problem) => void
}

/** The namespace /stations: tickets for residents, the queue for experts. Reconnects by itself. */
export class StationsClient {
  private readonly line: Line

  constructor({ token, handlers, url, onConnected, onDisconnected, onRefused }: StationsOptions) {
    this.line = new Line(
      { namespace: '/stations', auth: token ? { token } : {}, url },
      { onConnected, onLost: onDisconnected, onRefused },
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
    this.line.close()
  }
}
