import { isSoon } from '@/lib/mayEnter'
import { dayKey, viewerZone } from '@/lib/time'
import type { Meeting } from '@/protocol/http/shapes'

export interface Sections {
  live: Meeting[]
  today: Meeting[]
  coming: Meeting[]
  past: Meeting[]
}

const startOf = (meeting: Meeting): number => Date.parse(meeting.startsAt)

/** What the home page shows where; the nearest in time first. Cancelled meetings show until their day is over. */
export function sortedMeetings(meetings: Meeting[], now: Date, zone = viewerZone()): Sections {
  const sections: Sections = { live: [], today: [], coming: [], past: [] }
  for (const meeting of meetings) sections[sectionOf(meeting, now, zone)].push(meeting)
  for (const name of ['live', 'today', 'coming'] as const)
    sections[name].sort((a, b) => startOf(a) - startOf(b))
  sections.live.sort((a, b) => Number(b.state === 'live') - Number(a.state === 'live'))
  sections.past.sort((a, b) => startOf(b) - startOf(a))
  return sections
}

function sectionOf(meeting: Meeting, now: Date, zone: string): keyof Sections {
  if (meeting.state === 'live') return 'live'
  if (meeting.state === 'ended') return 'past'
  const over = Date.parse(meeting.endsAt) < now.getTime()
  if (!over && isSoon(meeting, now)) return 'live' // people look for the button there
  const [day, today] = [dayKey(new Date(meeting.startsAt), zone), dayKey(now, zone)]
  if (day === today) return 'today'
  return day > today ? 'coming' : 'past'
}
