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
