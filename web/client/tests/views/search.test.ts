import { expect, test } from 'vitest'

import { addressOf, searchFrom, wantedOf } from '@/views/recordings/search'

const NOTHING = { query: '', organizationId: '', kind: '', memberId: '', from: '', to: '' }

test('what is looked for stands in the address and comes back out of it', () => {
  const search = { ...NOTHING, query: ' 东湖 ', kind: 'lecture', from: '2026-03-28', to: '2026-03-29' }
  const address = { query: '东湖', kind: 'lecture', from: '2026-03-28', to: '2026-03-29' }
  expect(addressOf(search)).toEqual(address)
  expect(searchFrom(address)).toEqual({ ...search, query: '东湖' })
  expect(addressOf(NOTHING)).toEqual({})
})

test('an address that makes no sense looks for nothing', () => {
  const address = { query: ['a', 'b'], kind: null, from: 'yesterday', to: '2026-13-45', colour: 'red' }
  expect(searchFrom(address)).toEqual(NOTHING)
})

test.each([
  ['Asia/Shanghai', '2026-03-27T16:00:00.000Z', '2026-03-29T16:00:00.000Z'],
  ['Europe/London', '2026-03-28T00:00:00.000Z', '2026-03-29T23:00:00.000Z'], // the clocks go forward on the last
])('days are whole ones in %s', (zone, from, to) => {
  const search = { ...NOTHING, from: '2026-03-28', to: '2026-03-29' }
  expect(wantedOf(search, zone)).toMatchObject({ from, to })
  expect(wantedOf(NOTHING, zone)).not.toHaveProperty('from')
})
