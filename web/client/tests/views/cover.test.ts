import { beforeEach, expect, test } from 'vitest'

import { Cover } from '@/views/room/call/cover'

const SECOND = 1000
let cover: Cover
let now: number

beforeEach(() => {
  cover = new Cover()
  now = 0
})

/** What is shown each second: P a picture, - the portrait. */
function seen(seconds: number, starved: boolean, moved: boolean): string {
  let shown = ''
  for (let second = 0; second < seconds; second += 1) {
    shown += cover.look({ starved, moved }, now) ? '-' : 'P'
    now += SECOND
  }
  return shown
}
const paused = (seconds: number): string => seen(seconds, true, false)
const running = (seconds: number): string => seen(seconds, false, true)
/** There is room for it, and nothing comes. */
const promised = (seconds: number): string => seen(seconds, false, false)

test('a portrait stands in for a picture that has been paused for a second', () => {
  expect(running(3) + paused(4)).toBe('PPP' + 'P---')
})

test('a pause of a moment is left standing', () => {
  expect(running(3) + paused(1) + running(3)).toBe('PPPPPPP')
})

test('it is shown again once it has run for five seconds without a break', () => {
  paused(5)
  expect(running(2) + promised(1) + running(7)).toBe('--' + '-' + '-----PP')
})

test('what runs is shown though the word that it may has not come yet, and what runs is not taken away', () => {
  paused(5)
  expect(seen(8, true, true)).toBe('-----PPP')
})

test('a picture that comes and goes every eight seconds is shown ever more rarely', () => {
  let shown = ''
  for (let turn = 0; turn < 12; turn += 1) shown += running(8) + paused(3)
  expect(shown.replaceAll(/(.)\1+/g, '$1')).toBe('P-P-') // from the second time on it is left alone
})

test('after a picture that ran for half a minute the next wait is short again', () => {
  for (let turn = 0; turn < 5; turn += 1) {
    running(8)
    paused(3)
  }
  expect(running(10 + 30).indexOf('P')).toBe(10)
  paused(3)
  expect(running(6)).toBe('-----P')
})

test('a picture that is not paused and does not come all the same is not said to be too much for the line', () => {
  paused(5)
  expect(promised(9)).toBe('--------P')
})

test('while nobody looks no time passes', () => {
  paused(5)
  running(2)
  expect(cover.rest()).toBe(true)
  now += 60 * SECOND
  expect(running(6)).toBe('-----P')
})
