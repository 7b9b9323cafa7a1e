/** What the HTTP API answers of recordings, as docs/protocol.md has it. */

import type { AttendanceState, MeetingKind } from './shapes'

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
