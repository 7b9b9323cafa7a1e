import { expect, test } from 'vitest'

import { audienceKey, audiencesFor } from '@/views/recordings/audiences'

test.each([
  [3, 'lecture', ['invited', 'organization']],
  [2, 'theme_day', ['invited', 'organization', 'committee']],
  [1, 'theme_day', ['invited', 'organization', 'committee', 'district', 'members']],
  [1, 'lecture', ['invited', 'organization', 'committee', 'district', 'members', 'public']],
] as const)('an officer of level %d opens a %s to %j', (level, kind, audiences) => {
  expect(audiencesFor(level, kind)).toEqual(audiences)
})

test('to a film of no meeting nobody is invited', () => {
  expect(audienceKey('invited', true)).toBe('recordings.audiences.invited')
  expect(audienceKey('invited', false)).toBe('recordings.audiences.officers')
})
