import type { types } from 'mediasoup-client'

import { asProblem } from '../problem'

import type { Ask } from './messages'

/** A Wi-Fi that hands over mends itself in this time; after it we help. */
const PATIENCE_MS = 2500
const AGAIN_MS = 5000

/** Watches one transport's media path and restarts ICE until packets flow again. */
export class PathKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly transport: types.Transport,
    private readonly ask: Ask,
    /** The server no longer has this transport. */
    private readonly onGone: () => void,
  ) {
    transport.on('connectionstatechange', (state) => this.changed(state))
    transport.observer.once('close', () => clearTimeout(this.timer))
  }

  /** Looks now: after the signaling connection or the network came back. */
  check(): void {
    const state = this.transport.connectionState
    if (state === 'disconnected' || state === 'failed') this.restartIn(0)
  }

  private changed(state: types.ConnectionState): void {
    if (state === 'connected') {
      clearTimeout(this.timer)
    } else if (state === 'disconnected' || state === 'failed') {
      this.restartIn(state === 'failed' ? 0 : PATIENCE_MS)
    }
  }

  private restartIn(milliseconds: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.restart(), milliseconds)
  }

  private async restart(): Promise<void> {
    try {
      const { iceParameters } = await this.ask('restartIce', { transportId: this.transport.id })
      await this.transport.restartIce({ iceParameters })
    } catch (error) {
      if (this.transport.closed) return
      if (asProblem(error).code === 'transport_not_found') {
        this.onGone()
        return
      }
    }
    if (this.transport.connectionState !== 'connected') this.restartIn(AGAIN_MS)
  }
}
