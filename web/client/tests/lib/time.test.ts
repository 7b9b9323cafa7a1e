import { expect, test } from 'vitest'

import { clockDuration, dayKey, instantIn, sameClock, spokenDuration } from '@/lib/time'

test.each([
  ['Asia/Shanghai', '2026-11-23', '19:30', '2026-11-23T11:30:00.000Z'],
  ['Europe/London', '2026-07-01', '09:00', '2026-07-01T08:00:00.000Z'],
  ['Europe/London', '2026-03-29', '03:30', '2026-03-29T02:30:00.000Z'], // the night the clocks go forward
  ['America/New_York', '2026-11-01', '23:45', '2026-11-02T04:45:00.000Z'], // the day they go back
])('in %s it is %s %s at %s', (zone, day, clock, instant) => {
  expect(instantIn(zone, day, clock).toISOString()).toBe(instant)
})

test('a day is the one of the zone', () => {
  const at = new Date('2026-11-23T17:30:00Z')
  expect([dayKey(at, 'Asia/Shanghai'), dayKey(at, 'Europe/London')]).toEqual(['2026-11-24', '2026-11-23'])
})

test('zones with the same clock need not be shown twice', () => {
  const winter = new Date('2026-11-23T12:00:00Z')
  expect(sameClock(winter, 'Asia/Shanghai', 'Asia/Singapore')).toBe(true)
  expect(sameClock(winter, 'Asia/Shanghai', 'Europe/London')).toBe(false)
  expect(sameClock(winter, 'UTC', 'Europe/London')).toBe(true)
})

test.each([
  [0, '0:00'],
  [59.9, '0:59'],
  [61, '1:01'],
  [3723, '1:02:03'],
])('%d seconds are %s', (seconds, text) => expect(clockDuration(seconds)).toBe(text))

test.each([
  [0, 'zh-CN', '0秒钟'],
  [3723.9, 'zh-CN', '1小时2分钟3秒钟'],
  [3600, 'zh-CN', '1小时'],
  [61, 'en', '1 minute 1 second'],
  [7260, 'en', '2 hours 1 minute'],
])('%d seconds are read out in %s as %s', (seconds, locale, text) =>
  expect(spokenDuration(seconds, locale)).toBe(text),
)
