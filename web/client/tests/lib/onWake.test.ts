import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { onWake } from '@/lib/onWake'

let page: EventTarget & { visibilityState: string }
let view: EventTarget
let woken: boolean[]
let end: () => void

beforeEach(() => {
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  view = new EventTarget()
  vi.stubGlobal('document', page)
  vi.stubGlobal('addEventListener', view.addEventListener.bind(view))
  vi.stubGlobal('removeEventListener', view.removeEventListener.bind(view))
  woken = []
  end = onWake((networkBack) => woken.push(networkBack))
})
afterEach(() => vi.unstubAllGlobals())

const show = (visibilityState: string): void => {
  page.visibilityState = visibilityState
  page.dispatchEvent(new Event('visibilitychange'))
}
const come = (persisted: boolean): unknown =>
  view.dispatchEvent(Object.assign(new Event('pageshow'), { persisted }))

test.each([
  ['is shown', () => show('visible'), [false]],
  ['is hidden', () => show('hidden'), []],
  ['comes back whole', () => come(true), [false]],
  ['is loaded', () => come(false), []],
  ['has a network again', () => view.dispatchEvent(new Event('online')), [true]],
])('a page that %s', (_what, happen, expected) => {
  happen()
  expect(woken).toEqual(expected)
  end()
  happen()
  expect(woken).toEqual(expected)
})
