/** What the HTTP API answers, as docs/protocol.md has it. Times are RFC 3339 UTC, ids are opaque. */

export type Level = 1 | 2 | 3 | 4 | 5

export type RoleName =
  'district_officer' | 'committee_officer' | 'secretary' | 'branch_officer' | 'member' | 'resident' | 'expert'

export interface Flowing {
  place: string
  timezone: string
}

export interface HeldRole {
  role: RoleName
  organizationId: string
  organizationName: string
}

export interface Session {
  account: { id: string; username: string; name: string; locale: string | null }
  member: {
    id: string
    name: string
    organizationId: string
    organizationName: string
    standing: 'full' | 'probationary'
    flowing: Flowing | null
  } | null
  roles: HeldRole[]
  level: Level
}

export interface Person {
  id: string
  name: string
  organizationName: string
}

export interface Organization {
  id: string
  parentId: string | null
  kind: 'department' | 'committee' | 'general_branch' | 'branch' | 'group'
  name: string
  timezone: string
}

export type MeetingKind =
  | 'general_meeting'
  | 'committee_meeting'
  | 'group_meeting'
  | 'lecture'
  | 'theme_day'
  | 'organizational_life'
  | 'democratic_appraisal'
  | 'open_life'
  | 'work_meeting'
  | 'family_visit'

export type MeetingState = 'scheduled' | 'live' | 'ended' | 'cancelled'

export interface Meeting {
  id: string
  organizationId: string
  organizationName: string
  kind: MeetingKind
  title: string
  agenda: string | null
  startsAt: string
  endsAt: string
  timezone: string
  startedAt: string | null
  endedAt: string | null
  state: MeetingState
  record: boolean
  lobby: boolean
  expectedCount: number
  myRole: 'host' | 'participant' | 'observer' | null
  canJoin: boolean
  canManage: boolean
  recordingId: string | null
  /** Its recording is gone, and this person might have watched it. */
  deletedRecordingId: string | null
}

export interface NewMeeting {
  organizationId: string
  kind: MeetingKind
  title: string
  startsAt: string
  endsAt: string
  agenda?: string
  record?: boolean
  lobby?: boolean
}

export interface LeaveRequest {
  meetingId: string
  memberId: string
  name: string
  reason: string
  state: 'asked' | 'granted' | 'refused'
  askedAt: string
  decidedAt: string | null
}

export type AttendanceState = 'present' | 'late' | 'left_early' | 'excused' | 'absent' | 'made_up'

export interface AttendanceRow {
  /** Null for who is not a member: family, a resident. */
  memberId: string | null
  name: string
  expected: boolean
  state: AttendanceState
  secondsPresent: number
  firstSeenAt: string | null
  lastSeenAt: string | null
  correction: { state: AttendanceState; reason: string; at: string } | null
}

export interface AttendanceList {
  items: AttendanceRow[]
  nextCursor: string | null
  summary: Record<string, number>
  final: boolean
}

export type CardEntryKind =
  'meeting_attended' | 'recording_studied' | 'consultation_given' | 'vote_taken_part' | 'correction'

export interface CardEntry {
  id: string
  sequence: number
  kind: CardEntryKind
  occurredAt: string
  durationSeconds: number | null
  organizationId: string
  organizationName: string
  title: string
  source: string
  writtenBy: string
  refersTo: string | null
  hash: string
}

export type RecordingState = 'capturing' | 'composing' | 'ready' | 'damaged' | 'failed'

export type Interval = [from: number, to: number]

export interface Coverage {
  seconds: number
  share: number
  intervals: Interval[]
  resumeAt: number
  /** When it was enough; it stays so. */
  studiedAt: string | null
  /** "Are you still there?": without an answer nothing more counts. */
  prompt: { id: string; answerBy: string } | null
}

export type Audience = 'invited' | 'organization' | 'committee' | 'district' | 'members' | 'public'

export interface Captions {
  language: string
  label: string
}

export interface Recording {
  id: string
  meetingId: string | null
  title: string
  organizationName: string
  kind: MeetingKind
  state: RecordingState
  /** Of the film; another one is another film. */
  version: number
  progress: number
  durationSeconds: number | null
  startedAt: string
  sizeBytes: number | null
  failure: string | null
  audience: Audience
  downloadable: boolean
  /** So much of it must be watched, 0..1. */
  requiredShare: number
  /** So often the viewer is asked whether he is still there; null: never. */
  promptMinutes: number | null
  canManage: boolean
  canDelete: boolean
  /** It is broken, and what it could be made of anew is there. */
  canRemake: boolean
  /** It was made elsewhere. */
  uploaded: boolean
  /** It failed while its meeting goes on, and may go on too. */
  captureStopped: boolean
  /** The disk is too full to make it; it goes on by itself when there is room. */
  waitsForRoom: boolean
  /** Something beside the film was lost and is made of it; told to who manages it. */
  mending: boolean
  coverage: Coverage | null
  renditions: ('film' | 'sound' | 'poster' | 'preview' | 'hls')[]
  chapters: Chapter[]
  preview: PreviewStrip | null
  captions: Captions[]
  lacks: Lack[]
  persons: FilmPerson[]
}

/** Somebody in a film made elsewhere; the member is told to who manages the recording. */
export interface FilmPerson {
  name: string
  memberId: string | null
}

/** What a film lacks of one person's tracks of one kind; without seconds it may be all of it. */
export interface Lack {
  name: string
  /** What tells this person from another of the same name; mostly empty. */
  apart: string
  kind: string
  seconds: number | null
  /** Where in the film, in order; empty where nobody knows. */
  spans: Interval[]
}

export type NamedPerson = { memberId: string } | { name: string }

export interface RecordingChanges {
  audience?: Audience
  downloadable?: boolean
  requiredShare?: number
  promptMinutes?: number
  persons?: NamedPerson[]
  /** Whom the editor saw named: the server refuses where others are named by now. */
  personsBefore?: NamedPerson[]
}

export interface Watcher {
  memberId: string
  name: string
  organizationName: string
  state: AttendanceState | null
  seconds: number
  share: number
  studiedAt: string | null
  lastWatchedAt: string | null
}

/** How long a recording is kept, and what one may do about it. */
export interface Keeping {
  deletesAt: string | null
  announced: boolean
  hold: { reason: string; setAt: string; setByName: string | null } | null
  canHold: boolean
  canRelease: boolean
  canDelete: boolean
}

export type Fullness = 'fine' | 'filling' | 'nearly_full' | 'full' | 'exhausted'

/** What an organization says about its recordings, and what counts in the end; days of 0 mean for ever. */
export interface StorageRules {
  organizationId: string
  organizationName: string
  keepDays: number | null
  keepDaysByKind: Partial<Record<MeetingKind, number>>
  ownQuotaBytes: number | null
  countingDays: Partial<Record<MeetingKind, number>>
  usedBytes: number
  quotaBytes: number | null
  quotaOf: string | null
  fullness: Fullness
  canManage: boolean
}

/** A quota that fills up; `canManage`: one may give more room. */
export interface FillingStorage {
  organizationId: string
  organizationName: string
  usedBytes: number
  quotaBytes: number
  fullness: Fullness
  canManage: boolean
}

export interface RecordingDeletion {
  id: string
  recordingId: string
  meetingId: string | null
  organizationName: string
  kind: MeetingKind
  title: string
  recordedAt: string
  cause: 'person' | 'retention'
  deletedByName: string | null
  deletedAt: string
  reason: string
}

export type NoticeKind =
  | 'capture_stopped'
  | 'making_up_ends'
  | 'making_up_lost'
  | 'recording_ready'
  | 'recording_damaged'
  | 'recording_failed'
  | 'recording_waits'
  | 'invited'
  | 'consultation_answered'

/** `subjectId` is the recording's, meeting's or consultation's; `until`: when it is too late. */
export interface Notice {
  kind: NoticeKind
  subjectId: string
  title: string
  organizationName: string
  at: string
  until: string | null
  text: string | null
  /** Why a recording is broken. */
  reason: string | null
  /** The recording was made elsewhere. */
  uploaded: boolean
  /** It was looked at, on whatever device. */
  seen: boolean
}

export interface LeavingRecording {
  id: string
  title: string
  organizationName: string
  startedAt: string
  deletesAt: string
}

export interface Chapter {
  startSeconds: number
  title: string
}

/** How the preview picture is read: picture n shows second n * intervalSeconds, in rows of `columns` from the left. */
export interface PreviewStrip {
  intervalSeconds: number
  columns: number
  count: number
  width: number
  height: number
}

export interface NewUpload {
  organizationId: string
  title: string
  kind: MeetingKind
  audience: Audience
  heldAt: string
  sizeBytes: number
  fingerprint: string
  meetingId?: string
  durationSeconds?: number
  persons: NamedPerson[]
}

/** A film on its way; with `recordingId` it is whole. */
export interface Upload {
  id: string
  title: string
  sizeBytes: number
  offset: number
  chunkBytes: number
  expiresAt: string
  /** By which the file is known again; null where nobody told it. */
  fingerprint: string | null
  recordingId: string | null
}

export interface Station {
  id: string
  name: string
  organizationId: string
  organizationName: string
  services: string[]
}

export type ServiceKind = 'administrative' | 'medical' | 'legal' | 'farming'

export interface Service {
  id: string
  kind: ServiceKind
  name: string
  expertsOnDuty: number
  waiting: number
}

export type ConsultationState = 'waiting' | 'called' | 'active' | 'ended' | 'cancelled' | 'missed'

export type ConsultationEnd = 'finished' | 'resident_gone' | 'overdue'

export interface Consultation {
  id: string
  state: ConsultationState
  number: number
  position: number | null
  expectedWaitSeconds: number | null
  service: Service
  stationId: string | null
  expert: { name: string } | null
  createdAt: string
  startedAt: string | null
  endedAt: string | null
  endReason: ConsultationEnd | null
  outcome: string | null
  rating: number | null
  roomToken: string | null
}

/** A fresh ticket; the token lets its holder watch, cancel and rate it without being signed in. */
export interface Ticket extends Consultation {
  ticketToken: string
}

export type StreamUse = 'publish' | 'watch'

/** What lets an encoder send into a meeting, or a player watch it. */
export interface StreamKey {
  id: string
  name: string
  use: StreamUse
  createdAt: string
  usedAt: string | null
  online: boolean
}

/** With the secret, which is not to be had a second time, and the address below this server's own. */
export interface NewStreamKey extends StreamKey {
  secret: string
  path: string
}
