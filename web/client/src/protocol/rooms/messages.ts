import type { types } from 'mediasoup-client'

import type { RecordingState } from '../http/recordingShapes'

/** The namespace /rooms, as docs/protocol.md has it. */

export type Source = 'camera' | 'microphone' | 'screen' | 'screenAudio'
export type Role = 'host' | 'participant' | 'observer'
export type Kind = 'audio' | 'video'

export const kindOf = (source: Source): Kind =>
  source === 'camera' || source === 'screen' ? 'video' : 'audio'

export interface ProducerInfo {
  producerId: string
  kind: Kind
  source: Source
  paused: boolean
}

/** `layersWanted`: so many sizes of it, from the smallest, are worth sending; null where all are. */
export interface OwnProducerInfo extends ProducerInfo {
  layersWanted?: number | null
}

/** `starved`: the line does not bear even its smallest size. */
export interface ConsumerInfo {
  consumerId: string
  producerId: string
  paused: boolean
  producerPaused: boolean
  starved?: boolean
}

export interface PeerInfo {
  peerId: string
  displayName: string
  role: Role
  state?: 'connected' | 'reconnecting'
  handRaised?: boolean
  producers: ProducerInfo[]
}

export interface WaitingPeer {
  peerId: string
  displayName: string
}

export interface ChatLine {
  peerId: string
  displayName: string
  text: string
  at: string
}

/** The items of the meeting's agenda, and which is on, from 0. */
export interface Agenda {
  items: string[]
  current: number | null
}

export interface RecordingStatus {
  state: RecordingState
  since: string | null
  reason?: string | null
}

export interface RoomMeeting {
  id?: string
  title?: string
  startedAt?: string | null
  record?: boolean
}

export interface JoinAnswer {
  peerId: string
  resumeToken: string
  state: 'admitted' | 'lobby'
  role: Role
  routerRtpCapabilities: types.RtpCapabilities
  iceServers: RTCIceServer[]
  peers: PeerInfo[]
  meeting: RoomMeeting | null
  recording: RecordingStatus | null
  recordPicture?: boolean
  resumed?: boolean
  locked?: boolean
  handRaised?: boolean
  waiting?: WaitingPeer[]
  chat?: ChatLine[]
  agenda?: Agenda
  transports?: { transportId: string; direction: Direction }[]
  producers?: OwnProducerInfo[]
  consumers?: ConsumerInfo[]
}

export type Direction = 'send' | 'recv'

export interface TransportAnswer {
  id: string
  iceParameters: types.IceParameters
  iceCandidates: types.IceCandidate[]
  dtlsParameters: types.DtlsParameters
  iceServers?: RTCIceServer[]
}

/** `iceServers` with credentials that are good for hours again; `dtlsState` as the server sees it. */
export interface RestartAnswer {
  iceParameters: types.IceParameters
  iceServers?: RTCIceServer[]
  dtlsState?: RTCDtlsTransportState
}

export interface ConsumeAnswer {
  id: string
  producerId: string
  kind: Kind
  rtpParameters: types.RtpParameters
  type: 'simple' | 'simulcast' | 'svc'
  producerPaused: boolean
}

export type ModerateAction =
  | 'mute'
  | 'stopVideo'
  | 'remove'
  | 'admit'
  | 'reject'
  | 'lowerHand'
  | 'makeHost'
  | 'muteAll'
  | 'lock'
  | 'unlock'

/** What is wrong with somebody's network or device; docs/protocol.md says when. */
export type Trouble =
  | 'reconnecting'
  | 'noPath'
  | 'microphoneSilent'
  | 'lossUp'
  | 'lossDown'
  | 'cameraSilent'
  | 'pictureStarved'
  | 'bandwidthDown'
  | 'bandwidthUp'
  | 'delay'
  | 'jitterUp'

/** Five bars each way, 0 for nothing; `troubles` worst first. */
export interface Quality {
  up: number
  down: number
  troubles: Trouble[]
}

export interface PeerQuality extends Quality {
  peerId: string
}

/** Those who have any trouble, worst first, and how many more there are. */
export interface RoomQuality {
  peers: PeerQuality[]
  omitted: number
}

type Nothing = Record<string, never>

/** Client event → what goes out and what comes back. */
export interface RoomCalls {
  join: [{ meetingId: string; displayName?: string; resumeToken?: string; recordPicture?: false }, JoinAnswer]
  leave: [Nothing, Nothing]
  createTransport: [{ direction: Direction }, TransportAnswer]
  connectTransport: [{ transportId: string; dtlsParameters: types.DtlsParameters }, Nothing]
  closeTransport: [{ transportId: string }, Nothing]
  restartIce: [{ transportId: string }, RestartAnswer]
  produce: [
    { transportId: string; kind: Kind; rtpParameters: types.RtpParameters; source: Source; paused?: boolean },
    { id: string },
  ]
  pauseProducer: [{ producerId: string }, Nothing]
  resumeProducer: [{ producerId: string }, Nothing]
  closeProducer: [{ producerId: string }, Nothing]
  consume: [
    { transportId: string; producerId: string; rtpCapabilities: types.RtpCapabilities },
    ConsumeAnswer,
  ]
  resumeConsumer: [{ consumerId: string }, Nothing]
  pauseConsumer: [{ consumerId: string }, Nothing]
  closeConsumer: [{ consumerId: string }, Nothing]
  setPreferredLayers: [{ consumerId: string; spatialLayer: number; temporalLayer?: number }, Nothing]
  setPriority: [{ consumerId: string; priority: number | null }, Nothing]
  chat: [{ text: string }, Nothing]
  recordPicture: [{ wanted: boolean }, Nothing]
  raiseHand: [{ raised: boolean }, Nothing]
  markAgenda: [{ item: number }, Nothing]
  moderate: [{ action: ModerateAction; peerId?: string }, Nothing]
  endMeeting: [Nothing, Nothing]
}

/** Asks one of the calls; rejects with a Problem. */
export type Ask = <Event extends keyof RoomCalls>(
  event: Event,
  payload: RoomCalls[Event][0],
) => Promise<RoomCalls[Event][1]>

export interface ProducerEvent extends ProducerInfo {
  peerId: string
}

/** Server event → payload. */
export interface RoomEvents {
  peerJoined: { peerId: string; displayName: string; role: Role }
  peerLeft: { peerId: string; reason: string }
  peerReconnecting: { peerId: string }
  peerReconnected: { peerId: string }
  producerAdded: ProducerEvent
  producerClosed: ProducerEvent
  producerPaused: ProducerEvent
  producerResumed: ProducerEvent
  consumerClosed: { consumerId: string; reason: string }
  consumerPaused: { consumerId: string; reason: string }
  consumerResumed: { consumerId: string; reason: string }
  consumerLayersChanged: { consumerId: string; spatialLayer: number | null; temporalLayer: number | null }
  producerLayersWanted: { producerId: string; spatialLayers: number }
  activeSpeaker: { peerId: string | null }
  audioLevels: { levels: { peerId: string; dBov: number }[] }
  networkQuality: Omit<PeerQuality, 'troubles'> & Partial<PeerQuality>
  roomQuality: RoomQuality
  chat: ChatLine
  agendaMarked: { item: number; at: string }
  handRaised: { peerId: string; raised: boolean }
  lobby: { peerId: string; displayName: string; waiting: boolean }
  admitted: JoinAnswer
  rejected: Nothing
  removed: { reason: string }
  roleChanged: { peerId: string; role: Role }
  roomLocked: { locked: boolean }
  meetingStarted: { startedAt: string }
  recordingState: RecordingStatus
  recordPicture: { wanted: boolean }
  meetingEnded: Nothing
  serverDraining: { reconnectAfterMs: number }
}

export type RoomEventName = keyof RoomEvents

export const ROOM_EVENTS: readonly RoomEventName[] = [
  'peerJoined',
  'peerLeft',
  'peerReconnecting',
  'peerReconnected',
  'producerAdded',
  'producerClosed',
  'producerPaused',
  'producerResumed',
  'consumerClosed',
  'consumerPaused',
  'consumerResumed',
  'consumerLayersChanged',
  'producerLayersWanted',
  'activeSpeaker',
  'audioLevels',
  'networkQuality',
  'roomQuality',
  'chat',
  'agendaMarked',
  'handRaised',
  'lobby',
  'admitted',
  'rejected',
  'removed',
  'roleChanged',
  'roomLocked',
  'meetingStarted',
  'recordingState',
  'recordPicture',
  'meetingEnded',
  'serverDraining',
]
