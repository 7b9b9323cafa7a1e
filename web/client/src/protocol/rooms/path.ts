import type { types } from 'mediasoup-client'

import { asProblem } from '../problem'

import type { Ask } from './messages'

/** How long a state may last before we help: a Wi-Fi that hands over mends itself, a handshake takes a few round trips. */
const PATIENCE_MS: Partial<Record<types.ConnectionState, number>> = {
  connecting: 10_000,
  disconnected: 2500,
  failed: 0,
}
const AGAIN_MS = 5000
/** As for a lost path: what the server says may have been overtaken. */
const DOUBT_MS = 2500
/** So many new transports in a row are tried for one direction soon after each other; the first that connects ends the row. */
export const RENEWALS = 4
/** After them it is tried on for as long as the person stays: a network may change. */
const SELDOM_MS = 30_000
/** Of those seldom looks, before the next new transport where ICE alone may be what fails. */
const SELDOM_LOOKS = 4

export interface PathEvents {
  /** The server no longer has this transport. */
  onGone: () => void
  /** No packets flow, for longer than what mends itself; it is helped from now on. */
  onAway: () => void
  /** ICE restarts do not help: another transport might. */
  onSpent: () => void
  /** Packets flow. */
  onUp: () => void
  /** How many transports of this direction were given up since one was connected. */
  renewals: () => number
}

/** Watches one transport's media path: restarts ICE until packets flow again, and says when that is in vain. */
export class PathKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined
  private restarts = 0

  constructor(
    private readonly transport: types.Transport,
    private readonly ask: Ask,
    private readonly events: PathEvents,
  ) {
    transport.on('connectionstatechange', (state) => this.changed(state))
    transport.observer.once('close', () => clearTimeout(this.timer))
  }

  /** Looks now: after the signaling connection or the network came back. */
  check(): void {
    const state = this.transport.connectionState
    if (state === 'disconnected' || state === 'failed') this.restartIn(0)
  }

  /** The server has no path where the browser sees nothing wrong: DTLS may have ended at its side alone. */
  doubt(): void {
    if (this.transport.connectionState === 'connected') this.restartIn(DOUBT_MS)
  }

  private changed(state: types.ConnectionState): void {
    if (state === 'connected') {
      clearTimeout(this.timer)
      this.restarts = 0
      this.events.onUp()
      return
    }
    const patience = PATIENCE_MS[state]
    if (patience !== undefined && this.restarts === 0) this.restartIn(patience) // later ones follow each other
  }

  private restartIn(milliseconds: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.restart(), milliseconds)
  }

  private async restart(): Promise<void> {
    const { transport } = this
    if (transport.connectionState !== 'connected') this.events.onAway()
    try {
      const answer = await this.ask('restartIce', { transportId: transport.id })
      if (transport.closed) return
      if (this.spent(answer.dtlsState)) {
        this.events.onSpent()
        return
      }
      if (transport.connectionState === 'connected') return
      this.restarts += 1
      const { iceParameters, iceServers } = answer
      // In Firefox mediasoup-client refuses: those of the beginning serve, or in the end another transport with these.
      if (iceServers) await transport.updateIceServers({ iceServers }).catch(() => undefined)
      await transport.restartIce({ iceParameters })
    } catch (error) {
      if (transport.closed) return
      if (asProblem(error).code === 'transport_not_found') {
        this.events.onGone()
        return
      }
    }
    if (transport.connectionState !== 'connected')
      this.restartIn(this.events.renewals() < RENEWALS ? AGAIN_MS : SELDOM_MS)
  }

  /** Each new transport gets twice the time of the last; the first is made at once where DTLS has failed. */
  private spent(dtlsState: RTCDtlsTransportState | undefined): boolean {
    const renewals = this.events.renewals()
    const dead = dtlsState === 'failed' || dtlsState === 'closed'
    if (renewals >= RENEWALS) return this.restarts >= (dead ? 1 : SELDOM_LOOKS)
    return this.restarts >= (dead ? 2 ** renewals - 1 : 2 ** (renewals + 1))
  }
}
