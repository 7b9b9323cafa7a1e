import type { Audience } from '@/protocol/http/recordingShapes'
import type { MeetingKind } from '@/protocol/http/shapes'

/** What may be shown to the whole world. */
const PUBLIC_KINDS: readonly MeetingKind[] = ['lecture', 'open_life']
/** Each with the level of the office that it takes at most: 1 department, 2 committee, 3 branch. */
const TAKES: readonly (readonly [Audience, number])[] = [
  ['invited', 3],
  ['organization', 3],
  ['committee', 2],
  ['district', 1],
  ['members', 1],
  ['public', 1],
]

/** Whom an officer of this level may open a recording of this kind to, the narrowest first. */
export const audiencesFor = (level: number, kind: MeetingKind): Audience[] =>
  TAKES.filter(
    ([audience, most]) => level <= most && (audience !== 'public' || PUBLIC_KINDS.includes(kind)),
  ).map(([audience]) => audience)

/** The text of an audience: to a film of no meeting nobody is invited. */
export const audienceKey = (audience: Audience, ofMeeting: boolean): string =>
  `recordings.audiences.${audience === 'invited' && !ofMeeting ? 'officers' : audience}`
