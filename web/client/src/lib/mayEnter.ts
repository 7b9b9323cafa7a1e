import type { Meeting } from '@/protocol/http/shapes'

/** So long before the planned start people begin to look for the door; then they may wait inside. */
export const SOON_MS = 15 * 60_000

export const isSoon = (meeting: Meeting, now: Date): boolean =>
  meeting.state === 'scheduled' && Date.parse(meeting.startsAt) - now.getTime() < SOON_MS

/** Whether the button that goes in is shown: to hosts always, to the invited from shortly before the start. */
export function mayEnter(meeting: Meeting, now: Date): boolean {
  if (meeting.state !== 'scheduled' && meeting.state !== 'live') return false
  return meeting.canJoin || (meeting.myRole !== null && isSoon(meeting, now))
}
