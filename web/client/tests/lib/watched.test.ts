import { expect, test } from 'vitest'

import { lengthOf, WatchTracker } from '@/lib/watched'

let now = 0

const play = (tracker: WatchTracker, from: number, to: number, rate = 1, tick = 0.25): void => {
  for (let at = from; at <= to; at += tick * rate) {
    now += tick
    tracker.advance(at, rate, now)
  }
}

test('plain watching is one interval, reported once', () => {
  const tracker = new WatchTracker()
  play(tracker, 0, 10)
  expect(tracker.take()).toEqual([[0, 10]])
  expect(tracker.take()).toEqual([])
  play(tracker, 10.25, 12)
  expect(tracker.take()).toEqual([[10, 12]])
})

test('what a seek jumps over does not count, with or without its event', () => {
  const tracker = new WatchTracker()
  play(tracker, 0, 5)
  tracker.stop()
  play(tracker, 60, 62)
  play(tracker, 90, 91)
  expect(tracker.take()).toEqual([[0, 5], [60, 62], [90, 91]]) // prettier-ignore
})

test('whoever goes back goes on from there another day, and has spent the time', () => {
  const tracker = new WatchTracker()
  play(tracker, 0, 10)
  play(tracker, 4, 6)
  expect(tracker.seconds).toBe(12)
  const told = tracker.take()
  expect(told).toEqual([[0, 10], [4, 6]]) // prettier-ignore
  expect(lengthOf(told)).toBe(12)
})

test('twice the speed covers twice the length', () => {
  const tracker = new WatchTracker()
  play(tracker, 0, 20, 2)
  expect(tracker.take()).toEqual([[0, 20]])
})

test('a report that failed goes with the next', () => {
  const tracker = new WatchTracker()
  play(tracker, 0, 10)
  tracker.giveBack(tracker.take())
  play(tracker, 10.25, 15)
  expect(tracker.take()).toEqual([[0, 15]])
})

test('a busy machine that tells the position every five seconds loses nothing', () => {
  const tracker = new WatchTracker()
  play(tracker, 0, 40, 2, 5)
  expect(tracker.take()).toEqual([[0, 40]])
})
