import { expect, test } from 'vitest'

import { mayEnter } from '@/lib/mayEnter'
import type { Meeting, MeetingState } from '@/protocol/http/shapes'
import { sortedMeetings } from '@/views/home/sections'
import { emptyDraft, meetingFrom } from '@/views/meetings/draft'

const NOW = new Date('2026-11-23T11:00:00Z') // 19:00 in Shanghai
const at = (hours: number): string => new Date(NOW.getTime() + hours * 3_600_000).toISOString()
const meeting = (id: string, startsIn: number, state: MeetingState): Meeting =>
  ({ id, state, startsAt: at(startsIn), endsAt: at(startsIn + 1) }) as Meeting

test('each meeting stands where people look for it', () => {
  const sections = sortedMeetings(
    [
      meeting('tomorrow', 24, 'scheduled'),
      meeting('soon', 0.2, 'scheduled'),
      meeting('waiting for its host', -0.5, 'scheduled'),
      meeting('late today', 3, 'scheduled'),
      meeting('on', -0.2, 'live'),
      meeting('long ago', -48, 'ended'),
      meeting('before', -2, 'ended'),
      meeting('never held', -30, 'scheduled'),
      meeting('cancelled', 4, 'cancelled'),
    ],
    NOW,
    'Asia/Shanghai',
  )
  const ids = Object.fromEntries(
    Object.entries(sections).map(([name, list]) => [name, (list as Meeting[]).map(({ id }) => id)]),
  )
  expect(ids).toEqual({
    live: ['on', 'waiting for its host', 'soon'],
    today: ['late today', 'cancelled'],
    coming: ['tomorrow'],
    past: ['before', 'never held', 'long ago'],
  })
})

test('a draft begins at the next quarter and is meant in the zone of the organization', () => {
  const draft = {
    ...emptyDraft(new Date('2026-11-23T11:07:00Z'), 'Asia/Shanghai'),
    organizationId: 'o',
    title: '主题党日',
  }
  expect([draft.day, draft.clock]).toEqual(['2026-11-23', '19:15'])
  expect(meetingFrom(draft, 'Asia/Shanghai')).toMatchObject({
    startsAt: '2026-11-23T11:15:00.000Z',
    endsAt: '2026-11-23T12:45:00.000Z',
    record: true,
  })
  expect(meetingFrom({ ...draft, kind: 'family_visit' }, 'Asia/Shanghai').record).toBe(false)
})

test.each([
  ['live', true, 'participant', -1, true],
  ['live', false, 'participant', -1, false], // removed, or the invitation was taken back
  ['scheduled', true, 'host', 48, true],
  ['scheduled', false, 'participant', 0.2, true], // waits inside until the host comes
  ['scheduled', false, 'participant', 2, false],
  ['scheduled', false, null, 0.2, false],
  ['ended', true, 'host', -3, false],
] as const)(
  '%s, canJoin %s, as %s, in %d hours: the button shows %s',
  (state, canJoin, myRole, startsIn, shown) => {
    expect(mayEnter({ ...meeting('m', startsIn, state), canJoin, myRole }, NOW)).toBe(shown)
  },
)
