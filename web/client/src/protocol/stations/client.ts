import { io, type Socket } from 'socket.io-client'

import { ask } from '../acknowledge'
import { Problem } from '../problem'

import type { StationCalls, StationEvents } from './messages'

type Handlers = { [Event in keyof StationEvents]?: (payload: StationEvents[Event]) => void }

export interface StationsOptions {
  /** A ticket token; without it the session or station cookie says who it is. */
  token?: string
  handlers: Handlers
  /** Connected, or connected again: ask anew for whatever is watched. */
  onConnected: () => void
  onDisconnected: () => void
  /** The server does not know this token or session: no further attempt makes sense. */
  onRefused: (problem: Problem) => void
}

/** The namespace /stations: tickets for residents, the queue for experts. Reconnects by itself. */
export class StationsClient {
  private readonly socket: Socket

  constructor(options: StationsOptions) {
    this.socket = io('/stations', {
      auth: options.token ? { token: options.token } : {},
      transports: ['websocket', 'polling'],
      reconnectionDelayMax: 5000,
      forceNew: true,
    })
    this.socket.on('connect', options.onConnected)
    this.socket.on('disconnect', options.onDisconnected)
    this.socket.on('connect_error', (error: Error & { data?: { code?: string; message?: string } }) => {
      options.onDisconnected()
      const { code, message } = error.data ?? {}
      if (code && code !== 'server_draining') options.onRefused(new Problem(code, message ?? ''))
    })
    for (const [event, handler] of Object.entries(options.handlers)) {
      this.socket.on(event, handler as (payload: unknown) => void)
    }
    this.socket.on('serverDraining', ({ reconnectAfterMs }: StationEvents['serverDraining']) => {
      setTimeout(() => this.socket.connect(), reconnectAfterMs)
    })
  }

  ask<Event extends keyof StationCalls>(
    event: Event,
    payload: StationCalls[Event][0],
  ): Promise<StationCalls[Event][1]> {
    return ask(this.socket, event, payload)
  }

  close(): void {
    this.socket.removeAllListeners()
    this.socket.disconnect()
  }
}
