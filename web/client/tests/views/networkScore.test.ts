import { expect, test } from 'vitest'

import type { Quality } from '@/protocol/rooms/messages'
import { scoreOf } from '@/views/room/call/networkScore'

const quality = (up: number, down: number, ...troubles: Quality['troubles']): Quality => ({
  up,
  down,
  troubles,
})

test.each([
  ['not connected', quality(5, 5), false, 0],
  ['not measured', null, true, 5],
  ['the worse direction', quality(5, 2), true, 2],
  ['a picture that does not fit', quality(5, 5, 'pictureStarved'), true, 3],
  ['worse than that', quality(1, 5, 'pictureStarved'), true, 1],
  ['what is no line’s fault', quality(5, 5, 'microphoneSilent'), true, 5],
])('%s', (_what, network, connected, bars) => {
  expect(scoreOf(network, connected)).toBe(bars)
})
