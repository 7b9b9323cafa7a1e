import type { Role, Source } from '@/protocol/rooms/messages'
import type { Peer, RoomState } from '@/protocol/rooms/state'

import type { RemoteTrack } from '../useRoom'

/** One rectangle of the call: a person's camera (or name), or a shared screen. */
export interface Tile {
  key: string
  peerId: string
  name: string
  role: Role
  self: boolean
  source: 'camera' | 'screen'
  /** What to ask for when it is looked at; null where the person sends no such picture, and for oneself. */
  producerId: string | null
  track: MediaStreamTrack | null
  muted: boolean
  speaking: boolean
  handRaised: boolean
  reconnecting: boolean
  /** The viewer's line does not bear the picture; the sound goes on. */
  starved: boolean
  /** Oneself, who asked not to be in the picture of the recording that runs. */
  unrecorded: boolean
}

export interface OwnPictures {
  name: string
  camera: MediaStreamTrack | null
  screen: MediaStreamTrack | null
  microphoneOn: boolean
  unrecorded: boolean
}

/** The server tells voices from the noise of their rooms: who is silent has no level. */
const speaks = (state: RoomState, peerId: string): boolean =>
  state.activeSpeaker === peerId || peerId in state.levels

const producing = (peer: Peer, source: Source): Peer['producers'][number] | undefined =>
  peer.producers.find((producer) => producer.source === source && !producer.paused)

/** Everybody's tiles, oneself first, and the shared screens by themselves. */
export function tilesOf(
  state: RoomState,
  tracks: ReadonlyMap<string, RemoteTrack>,
  starved: ReadonlySet<string>,
  own: OwnPictures,
): { people: Tile[]; screens: Tile[] } {
  const self: Tile = {
    key: 'self',
    peerId: state.peerId,
    name: own.name,
    role: state.role,
    self: true,
    source: 'camera',
    producerId: null,
    track: own.camera,
    muted: !own.microphoneOn,
    speaking: own.microphoneOn && speaks(state, state.peerId),
    handRaised: state.handRaised,
    reconnecting: false,
    starved: false,
    unrecorded: own.unrecorded,
  }
  const people = [self, ...state.peers.map((peer) => remoteTile(state, tracks, starved, peer, 'camera'))]
  const screens = state.peers
    .filter((peer) => producing(peer, 'screen'))
    .map((peer) => remoteTile(state, tracks, starved, peer, 'screen'))
  if (own.screen) screens.push({ ...self, key: 'self-screen', source: 'screen', track: own.screen })
  return { people, screens }
}

function remoteTile(
  state: RoomState,
  tracks: ReadonlyMap<string, RemoteTrack>,
  starved: ReadonlySet<string>,
  peer: Peer,
  source: 'camera' | 'screen',
): Tile {
  const producer = producing(peer, source)
  return {
    key: `${peer.peerId}-${source}`,
    peerId: peer.peerId,
    name: peer.displayName,
    role: peer.role,
    self: false,
    source,
    producerId: producer?.producerId ?? null,
    track: (producer && tracks.get(producer.producerId)?.track) ?? null,
    muted: !producing(peer, 'microphone'),
    speaking: speaks(state, peer.peerId),
    handRaised: peer.handRaised,
    reconnecting: peer.reconnecting,
    starved: producer !== undefined && starved.has(producer.producerId),
    unrecorded: false,
  }
}
