import type {
  Agenda,
  ChatLine,
  Direction,
  JoinAnswer,
  PeerInfo,
  ProducerEvent,
  ProducerInfo,
  PeerQuality,
  RecordingStatus,
  Role,
  RoomEventName,
  RoomEvents,
  RoomMeeting,
  RoomQuality,
  WaitingPeer,
} from './messages'

/** Where a person stands with the room. */
export type Phase = 'connecting' | 'notBegun' | 'lobby' | 'in' | 'over'

/** Why it is over. */
export type Ending = 'left' | 'ended' | 'removed' | 'takenOver' | 'rejected' | 'failed'

export interface Peer {
  peerId: string
  displayName: string
  role: Role
  reconnecting: boolean
  handRaised: boolean
  producers: ProducerInfo[]
}

export interface RoomState {
  phase: Phase
  ending: Ending | null
  /** What went wrong where the ending is `failed`. */
  problem: unknown
  /** Whether the signaling connection is alive; media may flow on without it. */
  connected: boolean
  /** Whether media get through, each way; also where there is nothing to get through. */
  flows: Record<Direction, boolean>
  peerId: string
  role: Role
  handRaised: boolean
  /** The others, in order of joining. */
  peers: Peer[]
  waiting: WaitingPeer[]
  chat: ChatLine[]
  agenda: Agenda
  locked: boolean
  meeting: RoomMeeting | null
  recording: RecordingStatus | null
  /** Whether one's own camera may be seen in the recording, as one asked last. */
  recordPicture: boolean
  startsAt: string | null
  activeSpeaker: string | null
  /** Who is heard now and how loud, in dBov: 0 is the loudest, -127 silence. */
  levels: Record<string, number>
  network: PeerQuality | null
  /** Of the whole room, where one is a host. */
  quality: RoomQuality
}

export const newRoomState = (): RoomState => ({
  phase: 'connecting',
  ending: null,
  problem: null,
  connected: false,
  flows: { send: true, recv: true },
  peerId: '',
  role: 'participant',
  handRaised: false,
  peers: [],
  waiting: [],
  chat: [],
  agenda: { items: [], current: null },
  locked: false,
  meeting: null,
  recording: null,
  recordPicture: true,
  startsAt: null,
  activeSpeaker: null,
  levels: {},
  network: null,
  quality: { peers: [], omitted: 0 },
})

const peerFrom = (info: PeerInfo): Peer => ({
  peerId: info.peerId,
  displayName: info.displayName,
  role: info.role,
  reconnecting: info.state === 'reconnecting',
  handRaised: info.handRaised ?? false,
  producers: [...info.producers],
})

/** The room as the answer of `join` (or `admitted`) has it: the whole of it, whatever was known before. */
export function enterState(state: RoomState, answer: JoinAnswer): void {
  state.phase = answer.state === 'admitted' ? 'in' : 'lobby'
  state.peerId = answer.peerId
  state.role = answer.role
  state.handRaised = answer.handRaised ?? false
  state.peers = answer.peers.map(peerFrom)
  state.waiting = answer.waiting ?? []
  state.chat = answer.chat ?? state.chat
  state.agenda = answer.agenda ?? { items: [], current: null }
  state.locked = answer.locked ?? false
  state.meeting = answer.meeting
  state.recording = answer.recording
  state.recordPicture = answer.recordPicture ?? state.recordPicture
  state.activeSpeaker = null
  state.levels = {}
  state.quality = { peers: [], omitted: 0 }
}

type Apply = { [Event in RoomEventName]?: (state: RoomState, payload: RoomEvents[Event]) => void }

const find = (state: RoomState, peerId: string): Peer | undefined =>
  state.peers.find((peer) => peer.peerId === peerId)

function setPaused(state: RoomState, event: ProducerEvent, paused: boolean): void {
  const producer = find(state, event.peerId)?.producers.find((one) => one.producerId === event.producerId)
  if (producer) producer.paused = paused
}

function withReconnecting(state: RoomState, peerId: string, reconnecting: boolean): void {
  const peer = find(state, peerId)
  if (peer) peer.reconnecting = reconnecting
}

function setRole(state: RoomState, peerId: string, role: Role): void {
  if (peerId === state.peerId) state.role = role
  const peer = find(state, peerId)
  if (peer) peer.role = role
}

const apply: Apply = {
  peerJoined(state, { peerId, displayName, role }) {
    if (peerId === state.peerId) return
    const known = find(state, peerId)
    if (known) Object.assign(known, { displayName, role })
    else
      state.peers.push({ peerId, displayName, role, reconnecting: false, handRaised: false, producers: [] })
  },
  peerLeft(state, { peerId }) {
    state.peers = state.peers.filter((peer) => peer.peerId !== peerId)
    state.quality.peers = state.quality.peers.filter((one) => one.peerId !== peerId)
    if (state.activeSpeaker === peerId) state.activeSpeaker = null
  },
  peerReconnecting: (state, { peerId }) => withReconnecting(state, peerId, true),
  peerReconnected: (state, { peerId }) => withReconnecting(state, peerId, false),
  producerAdded(state, { peerId, ...producer }) {
    const peer = find(state, peerId)
    if (peer)
      peer.producers = [...peer.producers.filter((one) => one.producerId !== producer.producerId), producer]
  },
  producerClosed(state, { peerId, producerId }) {
    const peer = find(state, peerId)
    if (peer) peer.producers = peer.producers.filter((one) => one.producerId !== producerId)
  },
  producerPaused: (state, event) => setPaused(state, event, true),
  producerResumed: (state, event) => setPaused(state, event, false),
  activeSpeaker: (state, { peerId }) => void (state.activeSpeaker = peerId),
  audioLevels(state, { levels }) {
    state.levels = Object.fromEntries(levels.map(({ peerId, dBov }) => [peerId, dBov]))
  },
  /** A server that was not brought up to date yet names no troubles. */
  networkQuality: (state, { troubles = [], ...quality }) => void (state.network = { ...quality, troubles }),
  roomQuality: (state, quality) => void (state.quality = quality),
  chat: (state, line) => void state.chat.push(line),
  agendaMarked: (state, { item }) => void (state.agenda.current = item),
  handRaised(state, { peerId, raised }) {
    if (peerId === state.peerId) state.handRaised = raised
    const peer = find(state, peerId)
    if (peer) peer.handRaised = raised
  },
  lobby(state, { peerId, displayName, waiting }) {
    const others = state.waiting.filter((one) => one.peerId !== peerId)
    state.waiting = waiting ? [...others, { peerId, displayName }] : others
  },
  roleChanged: (state, { peerId, role }) => setRole(state, peerId, role),
  roomLocked: (state, { locked }) => void (state.locked = locked),
  meetingStarted: (state, { startedAt }) => void (state.meeting = { ...state.meeting, startedAt }),
  recordingState: (state, status) => void (state.recording = status),
  admitted: enterState,
}

/** One server event; those that concern media objects or the connection change nothing here. */
export function applyEvent<Event extends RoomEventName>(
  state: RoomState,
  event: Event,
  payload: RoomEvents[Event],
): void {
  apply[event]?.(state, payload)
}
