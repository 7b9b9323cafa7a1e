import { afterEach, beforeEach, expect, vi } from 'vitest'

import { fakeDevice, other, type Connection } from './fakeMedia'
import { RoomServer } from './roomServer'

import { asProblem } from '@/protocol/problem'
import type { Source } from '@/protocol/rooms/messages'
import { RoomSession } from '@/protocol/rooms/session'
import { newRoomState, type RoomState } from '@/protocol/rooms/state'

/** One participant in a room of a server that both last for one test, and what the page was told. */
class Visit {
  readonly server = new RoomServer()
  readonly connections: Connection[] = []
  readonly failed: string[] = []
  readonly silenced: Source[] = []
  state!: RoomState
  session!: RoomSession
  private url = ''

  static async begin(): Promise<Visit> {
    const visit = new Visit()
    visit.url = await visit.server.start()
    visit.enter()
    await visit.server.until('createTransport') // what is sent from now on goes out at once
    return visit
  }

  enter(): void {
    this.state = newRoomState()
    this.session = new RoomSession(
      { roomId: 'room', url: this.url, makeDevice: () => fakeDevice(this.connections), answerMs: 200 },
      this.state,
      {
        onTrack: () => undefined,
        onTrackEnded: () => undefined,
        onStarved: () => undefined,
        onSilenced: (source) => this.silenced.push(source),
        onSendFailed: (source, problem) => this.failed.push(`${source} ${asProblem(problem).code}`),
      },
    )
    this.session.enter()
  }

  async end(): Promise<void> {
    this.session.finish('left')
    await this.server.stop()
  }

  /** Somebody else comes in with these. */
  come(...sources: ('camera' | 'microphone')[]): void {
    const [peer] = (this.server.peers = [other(...sources)])
    this.server.tell('peerJoined', { ...peer, producers: undefined })
    for (const producer of peer?.producers ?? [])
      this.server.tell('producerAdded', { peerId: 'other', ...producer })
  }

  /** What the server has of this participant. */
  sent(): Partial<Record<Source, 'on' | 'paused'>> {
    return Object.fromEntries(
      [...this.server.producers.values()].map(({ info }) => [info.source, info.paused ? 'paused' : 'on']),
    )
  }

  serverHas(wanted: ReturnType<Visit['sent']>): Promise<void> {
    return vi.waitFor(() => expect(this.sent()).toEqual(wanted))
  }

  /** What the server has for this participant, and whether it sends it on. */
  received(): Record<string, boolean> {
    return Object.fromEntries(
      [...this.server.consumers.values()].map(({ info }) => [info.producerId, !info.paused]),
    )
  }
}

/** Of the test that runs; see `visitEachTest`. */
export let visit: Visit
export let server: RoomServer
export let state: RoomState
export let session: RoomSession

/** Each test of the file begins in a room of its own. */
export function visitEachTest(): void {
  beforeEach(async () => {
    visit = await Visit.begin()
    ;({ server, state, session } = visit)
  })
  afterEach(() => visit.end())
}

/** As somebody new, in the same room. */
export function enterAnew(): void {
  visit.enter()
  ;({ state, session } = visit)
}
