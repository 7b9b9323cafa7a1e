import { clockTime, dayKey, instantIn } from '@/lib/time'
import type { MeetingKind, NewMeeting } from '@/protocol/http/shapes'

/** A family visit is no meeting of a branch; it is arranged elsewhere. */
export const KINDS: MeetingKind[] = [
  'theme_day',
  'general_meeting',
  'committee_meeting',
  'group_meeting',
  'lecture',
  'organizational_life',
  'democratic_appraisal',
  'open_life',
  'work_meeting',
  'family_visit',
]

export const DURATIONS = ['30', '45', '60', '90', '120', '180', '240']

export interface Draft {
  organizationId: string
  kind: MeetingKind
  title: string
  /** In the organization's zone: `2026-11-23`, `19:30`. */
  day: string
  clock: string
  minutes: string
  agenda: string
  record: boolean
  lobby: boolean
}

const QUARTER_MS = 15 * 60_000

/** The next quarter of an hour is the nearest time that makes sense. */
export function emptyDraft(now: Date, zone: string): Draft {
  const next = new Date(Math.ceil(now.getTime() / QUARTER_MS) * QUARTER_MS)
  return {
    organizationId: '',
    kind: 'theme_day',
    title: '',
    day: dayKey(next, zone),
    clock: clockTime(next, 'en-GB', zone),
    minutes: '90',
    agenda: '',
    record: true,
    lobby: false,
  }
}

/** The day's quarters, and the one chosen though it be none of them. */
export function quarterHours(chosen: string): string[] {
  const two = (value: number): string => String(value).padStart(2, '0')
  const all = Array.from(
    { length: 96 },
    (_, quarter) => `${two(Math.floor(quarter / 4))}:${two((quarter % 4) * 15)}`,
  )
  return all.includes(chosen) ? all : [...all, chosen].sort()
}

export function meetingFrom(draft: Draft, zone: string): NewMeeting {
  const start = instantIn(zone, draft.day, draft.clock)
  const end = new Date(start.getTime() + Number(draft.minutes) * 60_000)
  const { organizationId, kind, title, lobby } = draft
  const record = draft.record && kind !== 'family_visit' // a family's talk is nobody else's
  const agenda = draft.agenda.trim()
  return {
    organizationId,
    kind,
    title,
    record,
    lobby,
    startsAt: start.toISOString(),
    endsAt: end.toISOString(),
    ...(agenda && { agenda }),
  }
}
