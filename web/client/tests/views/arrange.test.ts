import { expect, test } from 'vitest'

import { bestGrid, columnOf, layerFor, mainTile, seat, seatsOf } from '@/views/room/call/arrange'
import type { Tile } from '@/views/room/call/tiles'

test.each([
  [1280, 640, 1, 1],
  [1280, 640, 2, 2],
  [1280, 640, 4, 2],
  [1280, 640, 9, 3],
  [344, 560, 2, 1], // a phone upright: one above the other
  [344, 560, 5, 2],
  [344, 560, 30, 2], // no narrower than a face needs: it scrolls
])('%i×%i pixels hold %i people in %i columns', (width, height, count, columns) => {
  expect(bestGrid(width, height, count).columns).toBe(columns)
})

test.each([
  [344, 598, 30, 10],
  [724, 236, 12, 8], // the same phone held sideways
  [1350, 630, 30, 30],
])('%i×%i pixels show of %i people %i before one scrolls', (width, height, count, seen) => {
  expect(Math.min(count, seatsOf(bestGrid(width, height, count), height))).toBe(seen)
})

test.each([
  ['who is seen already stays', 'b', 3, {}, 'me a b c d'],
  ['nobody speaks', null, 3, {}, 'me a b c d'],
  ['the last seat goes first where all were silent', 'd', 3, {}, 'me a d c b'],
  ['who spoke keeps the seat', 'd', 3, { b: 1 }, 'me d b c a'],
  ['who was silent longest gives it', 'd', 3, { a: 1, b: 2 }, 'me d b c a'],
  ['one seat is one’s own', 'd', 1, {}, 'me a b c d'],
  ['a stranger changes nothing', 'x', 3, {}, 'me a b c d'],
])('%s', (_what, speaker, seats, spoke, expected) => {
  const order = seat('me a b c d'.split(' '), speaker, seats, new Map(Object.entries(spoke)))
  expect(order.join(' ')).toBe(expected)
})

test('an incomplete last row is centred', () => {
  expect([0, 1, 2, 3, 4].map((index) => columnOf(index, 5, 3))).toEqual([
    'span 2',
    'span 2',
    'span 2',
    '2 / span 2',
    'span 2',
  ])
})

test.each([
  [160, 2, 0],
  [400, 1, 1],
  [900, 1, 2],
])('a tile of %i pixels at ratio %i wants layer %i', (width, ratio, layer) => {
  expect(layerFor(width, ratio)).toBe(layer)
})

const tile = (key: string, more: Partial<Tile> = {}): Tile => ({
  key,
  peerId: key,
  name: key,
  role: 'participant',
  self: false,
  source: 'camera',
  producerId: null,
  track: null,
  muted: false,
  speaking: false,
  handRaised: false,
  reconnecting: false,
  starved: false,
  unrecorded: false,
  ...more,
})

test('what is large: the choice, then a screen, then who speaks, then another', () => {
  const people = [tile('self', { self: true }), tile('a'), tile('b')]
  const screen = tile('b-screen', { source: 'screen' })
  expect(mainTile(people, [screen], 'a', 'b')?.key).toBe('a')
  expect(mainTile(people, [screen], null, 'b')?.key).toBe('b-screen')
  expect(mainTile(people, [], 'gone', 'b')?.key).toBe('b')
  expect(mainTile(people, [], null, null)?.key).toBe('a')
  expect(mainTile(people.slice(0, 1), [], null, null)?.key).toBe('self')
})
