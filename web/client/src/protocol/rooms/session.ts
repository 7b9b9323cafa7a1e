import type { types } from 'mediasoup-client'

import { againInMs } from '../line'
import { asProblem, Problem } from '../problem'

import { RoomConnection, type RoomConnectionOptions } from './connection'
import { Incoming, type IncomingEvents, type Want } from './incoming'
import type {
  Ask,
  Direction,
  JoinAnswer,
  ModerateAction,
  ProducerEvent,
  RoomEventName,
  RoomEvents,
  Source,
} from './messages'
import { Outgoing, type OutgoingEvents } from './outgoing'
import { RENEWALS, type PathKeeper } from './path'
import { makeDevice } from './redundancy'
import { Serial } from './serial'
import { applyEvent, enterState, type Ending, type Peer, type RoomState } from './state'
import { openTransport, type KeptTransport } from './transports'

export interface RoomSessionOptions extends RoomConnectionOptions {
  /** The browser's own, where it is left out. */
  makeDevice?: () => types.Device
}

export interface RoomSessionEvents extends IncomingEvents, OutgoingEvents {
  onEvent?: <Event extends RoomEventName>(event: Event, payload: RoomEvents[Event]) => void
}

/**
 * One participant in one room: the connection, what the room is like (`state`, changed in place), what is sent and
 * received. Knows no DOM; tracks come in by `send` and go out by `onTrack`.
 */
export class RoomSession {
  private readonly connection: RoomConnection
  private readonly outgoing: Outgoing
  private readonly incoming: Incoming
  private readonly transports = new Map<Direction, Promise<KeptTransport>>()
  /** The ids of those the server has of ours, also of such as we no longer hold. */
  private readonly served = new Set<string>()
  private device: types.Device | null = null
  private iceServers: RTCIceServer[] = []
  private latest: JoinAnswer | null = null
  private readonly turns = new Serial()
  /** How many transports were given up in a row. */
  private readonly renewals = new Map<Direction, number>()
  /** How often the server's word alone may still have transports looked at, until the next join. */
  private doubts = RENEWALS

  constructor(
    private readonly options: RoomSessionOptions,
    readonly state: RoomState,
    private readonly events: RoomSessionEvents,
  ) {
    state.recordPicture = options.recordPicture ?? true
    this.connection = new RoomConnection(options, {
      onJoined: (answer) => this.joined(answer),
      onNotBegun: (startsAt) => Object.assign(state, { phase: 'notBegun', connected: true, startsAt }),
      onLost: () => void (this.state.connected = false),
      onEvent: (event, payload) => this.received(event, payload),
      onRefused: (problem) => this.refused(problem),
    })
    this.outgoing = new Outgoing(this.ask, events)
    this.incoming = new Incoming(this.ask, events)
  }

  enter(): void {
    this.connection.open()
  }

  /** Nothing is sent or heard from now on; over it is when the server has answered, or soon without. */
  async leave(): Promise<void> {
    const heard = this.connection.farewell()
    this.closeMedia()
    await heard
    this.finish('left')
  }

  send(source: Source, track: MediaStreamTrack | null, paused = false): Promise<void> {
    return this.outgoing.set(source, track, paused)
  }

  setPaused(source: Source, paused: boolean): Promise<void> {
    return this.outgoing.setPaused(source, paused)
  }

  /** Says whether a video is looked at, and how large. */
  want(producerId: string, want: Want | null): void {
    this.incoming.want(producerId, want)
  }

  say = (text: string): Promise<unknown> => this.ask('chat', { text })
  raiseHand = (raised: boolean): Promise<unknown> => this.ask('raiseHand', { raised })
  markAgenda = (item: number): Promise<unknown> => this.ask('markAgenda', { item })
  /** Whether one's camera may be seen in the recording; see RoomConnectionOptions. */
  recordPicture = (wanted: boolean): Promise<unknown> => {
    this.wished(wanted)
    return this.ask('recordPicture', { wanted })
  }
  endMeeting = (): Promise<unknown> => this.ask('endMeeting', {})
  moderate = (action: ModerateAction, peerId?: string): Promise<unknown> =>
    this.ask('moderate', peerId ? { action, peerId } : { action })

  /** The page is shown again, or the network is back: whatever is lost is looked for now. */
  wake(networkBack: boolean): void {
    this.doubts = RENEWALS
    this.renewals.clear() // each may be tried anew
    this.connection.wake(networkBack)
    void this.keepers((keeper) => keeper.check())
  }

  /** As a person asks who cannot wait: what does not get through is made anew now. */
  retry(): void {
    this.wake(false)
    const unknown = this.state.network?.troubles.includes('noPath')
    for (const [direction, kept] of this.transports)
      if (unknown || !this.state.flows[direction]) this.spent(direction, kept)
  }

  private async keepers(look: (keeper: PathKeeper) => void): Promise<void> {
    for (const opening of this.transports.values()) {
      const kept = await opening.catch(() => null)
      if (kept) look(kept.keeper)
    }
  }

  /** By this device or another of the same person; what is to be hidden goes with every join. */
  private wished(recordPicture: boolean): void {
    this.state.recordPicture = recordPicture
    if (recordPicture) delete this.options.recordPicture
    else this.options.recordPicture = false
  }
  onRecordPicture = ({ wanted }: RoomEvents['recordPicture']): void => this.wished(wanted)

  private readonly ask: Ask = (event, payload) => this.connection.ask(event, payload)

  private joined(answer: JoinAnswer): void {
    enterState(this.state, answer)
    this.wished(this.state.recordPicture)
    this.doubts = RENEWALS
    this.renewals.clear()
    this.state.connected = true
    this.latest = answer
    this.served.clear()
    for (const { transportId } of answer.transports ?? []) this.served.add(transportId)
    if (answer.state === 'admitted') this.bringUp(answer, () => this.resume(answer))
  }

  /** Media as the newest answer has it. One at a time: a line that is cut again and again brings several answers. */
  private bringUp(answer: JoinAnswer, media: () => Promise<void>): void {
    void this.turns.run(async () => {
      if (answer !== this.latest || this.state.phase !== 'in') return
      this.iceServers = answer.iceServers
      await media().catch((error: unknown) => this.notBroughtUp(answer, asProblem(error)))
    })
  }

  private async notBroughtUp(answer: JoinAnswer, problem: Problem): Promise<void> {
    const wait = againInMs(problem)
    if (problem.code === 'connection_lost') return // the next join brings everything
    // Half-made transports of cut attempts fill the server's limit; as a new participant one begins at none.
    if (problem.code === 'too_many_transports') {
      this.closeMedia()
      await this.connection.rejoin()
    } else if (wait === null) this.refused(problem)
    else setTimeout(() => this.bringUp(answer, () => this.build(answer)), wait)
  }

  private async build(answer: JoinAnswer): Promise<void> {
    this.closeMedia()
    await this.closeServed()
    const device = this.device ?? (await this.loadDevice(answer.routerRtpCapabilities))
    this.device = device
    const recv = this.open('recv')
    this.openOutgoing()
    this.incoming.offerAll(offersOf(this.state.peers))
    this.incoming.open((await recv).transport, device.recvRtpCapabilities)
  }

  private openOutgoing(): void {
    this.outgoing.open(async () => (await (this.transports.get('send') ?? this.open('send'))).transport)
  }

  /** What the server still has of ours stays. */
  private async resume(answer: JoinAnswer): Promise<void> {
    if (answer.resumed) this.outgoing.learn(answer.producers ?? [])
    if (!answer.resumed || !this.device) return this.build(answer)
    const own = await Promise.all([...this.transports.values()].map((kept) => kept.catch(() => null)))
    if (!this.transports.has('recv') || own.some((kept) => !kept || !this.served.has(kept.transport.id)))
      return this.build(answer)
    this.incoming.offerAll(offersOf(this.state.peers))
    this.incoming.resume(answer.consumers ?? [])
    this.outgoing.resume()
    for (const kept of own)
      await kept?.transport.updateIceServers({ iceServers: answer.iceServers }).catch(() => undefined) // closed meanwhile
    await this.keepers((keeper) => keeper.check())
  }

  /** Else what is on them would stand in the way of its successors: a source has one producer. */
  private async closeServed(): Promise<void> {
    for (const transportId of this.served) {
      await this.ask('closeTransport', { transportId }).catch(unlessGone)
      this.served.delete(transportId)
    }
  }

  private async loadDevice(routerRtpCapabilities: types.RtpCapabilities): Promise<types.Device> {
    try {
      const device = this.options.makeDevice?.() ?? makeDevice(routerRtpCapabilities)
      await device.load({ routerRtpCapabilities })
      return device
    } catch {
      throw new Problem('device_unsupported')
    }
  }

  private open(direction: Direction): Promise<KeptTransport> {
    if (!this.device) throw new Problem('device_unsupported')
    const kept: Promise<KeptTransport> = openTransport(this.device, this.ask, direction, this.iceServers, {
      onGone: () => this.lost(kept),
      onSpent: () => this.spent(direction, kept),
      onAway: () => void (this.state.flows[direction] = false),
      onUp: () => this.flowing(direction),
      renewals: () => this.renewals.get(direction) ?? 0,
    })
    this.transports.set(direction, kept)
    kept.then(
      ({ transport }) => this.served.add(transport.id),
      () => this.transports.get(direction) === kept && this.transports.delete(direction),
    )
    return kept
  }

  /** The server has lost a transport of ours though it knows us: all media objects anew, once for both transports. */
  private lost(kept: Promise<KeptTransport>): void {
    const answer = this.latest
    const ours = (): boolean => [...this.transports.values()].includes(kept)
    if (answer) this.bringUp(answer, async () => (ours() ? this.build(answer) : undefined))
  }

  /** No path to it, or none that DTLS would have: another in its place, with what was on it. */
  private spent(direction: Direction, kept: Promise<KeptTransport>): void {
    const { latest: answer, device } = this
    if (!answer || !device) return
    this.bringUp(answer, async () => {
      if (this.transports.get(direction) !== kept) return
      const { transport } = await kept
      await this.ask('closeTransport', { transportId: transport.id }).catch(unlessGone)
      this.served.delete(transport.id)
      this.transports.delete(direction)
      this.renewals.set(direction, (this.renewals.get(direction) ?? 0) + 1)
      const media = direction === 'send' ? this.outgoing : this.incoming
      this.state.flows[direction] = media.idle
      media.close()
      transport.close()
      if (direction === 'send') this.openOutgoing()
      else this.incoming.open((await this.open('recv')).transport, device.recvRtpCapabilities)
    })
  }

  private flowing(direction: Direction): void {
    this.renewals.delete(direction)
    this.state.flows[direction] = true
  }

  private received<Event extends RoomEventName>(event: Event, payload: RoomEvents[Event]): void {
    if (event === 'admitted') {
      this.joined(payload as RoomEvents['admitted'])
      this.events.onEvent?.(event, payload)
      return
    }
    applyEvent(this.state, event, payload)
    react[event]?.(this, payload as never)
    this.events.onEvent?.(event, payload)
  }

  /** What events mean for media objects and for the end. */
  onProducerChanged = (producer: ProducerEvent): void => {
    if (producer.peerId !== this.state.peerId) this.incoming.offer(producer)
  }
  onProducerClosed = ({ producerId }: ProducerEvent): void => this.incoming.withdraw(producerId)
  onProducerPaused = (producer: ProducerEvent): void => {
    if (producer.peerId === this.state.peerId) this.outgoing.silenced(producer.producerId)
    this.onProducerChanged({ ...producer, paused: true })
  }
  onConsumerClosed = (consumerId: string): void => this.incoming.consumerClosed(consumerId)
  onLayersChanged = ({ consumerId, spatialLayer }: RoomEvents['consumerLayersChanged']): void =>
    this.incoming.layersChanged(consumerId, spatialLayer)
  onNetworkQuality = (): void => {
    const troubles = this.state.network?.troubles ?? []
    this.incoming.lineLoses(troubles.includes('lossDown'))
    if (!troubles.includes('noPath') || this.doubts === 0) return
    this.doubts -= 1
    void this.keepers((keeper) => keeper.doubt())
  }
  onLayersWanted = ({ producerId, spatialLayers }: RoomEvents['producerLayersWanted']): void =>
    this.outgoing.layersWanted(producerId, spatialLayers)
  onPeerLeft = (): void => this.incoming.offerAll(offersOf(this.state.peers))

  finish(ending: Ending): void {
    if (this.state.phase === 'over') return
    Object.assign(this.state, { phase: 'over', ending, connected: false })
    this.connection.close()
    this.closeMedia()
  }

  private refused(problem: Problem): void {
    this.state.problem = problem
    const endings: Record<string, Ending> = { removed: 'removed', meeting_ended: 'ended' }
    this.finish(endings[problem.code] ?? 'failed')
  }

  private closeMedia(): void {
    this.outgoing.close()
    this.incoming.close()
    for (const kept of this.transports.values())
      kept.then(
        ({ transport }) => transport.close(),
        () => undefined,
      )
    this.transports.clear()
    this.state.flows = { send: true, recv: true }
  }
}

const react: { [Event in RoomEventName]?: (session: RoomSession, payload: RoomEvents[Event]) => void } = {
  producerAdded: (session, producer) => session.onProducerChanged(producer),
  producerResumed: (session, producer) => session.onProducerChanged({ ...producer, paused: false }),
  producerClosed: (session, producer) => session.onProducerClosed(producer),
  producerPaused: (session, producer) => session.onProducerPaused(producer),
  consumerClosed: (session, { consumerId }) => session.onConsumerClosed(consumerId),
  consumerLayersChanged: (session, layers) => session.onLayersChanged(layers),
  producerLayersWanted: (session, layers) => session.onLayersWanted(layers),
  networkQuality: (session) => session.onNetworkQuality(),
  peerLeft: (session) => session.onPeerLeft(),
  recordPicture: (session, picture) => session.onRecordPicture(picture),
  rejected: (session) => session.finish('rejected'),
  removed: (session, { reason }) => session.finish(reason === 'taken_over' ? 'takenOver' : 'removed'),
  meetingEnded: (session) => session.finish('ended'),
}

const offersOf = (peers: Peer[]): ProducerEvent[] =>
  peers.flatMap((peer) => peer.producers.map((producer) => ({ ...producer, peerId: peer.peerId })))

function unlessGone(error: unknown): void {
  if (asProblem(error).code !== 'transport_not_found') throw error
}
