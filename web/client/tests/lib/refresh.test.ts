import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'

import { useRefresh } from '@/lib/useRefresh'

const PAUSE_MS = 1000
let scope: EffectScope
let page: { hidden: boolean }
let wanted: boolean
let asked: number

beforeEach(() => {
  vi.useFakeTimers()
  page = { hidden: false }
  vi.stubGlobal('document', page)
  wanted = true
  asked = 0
  scope = effectScope()
  scope.run(() =>
    useRefresh(
      () => (asked += 1),
      PAUSE_MS,
      () => wanted,
    ),
  )
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('asks again and again', () => {
  vi.advanceTimersByTime(3 * PAUSE_MS)
  expect(asked).toBe(3)
})

const RESTS: [string, () => unknown][] = [
  ['the page is behind another', () => (page.hidden = true)],
  ['nothing is wanted', () => (wanted = false)],
  ['the component is gone', () => scope.stop()],
]
test.each(RESTS)('asks nothing while %s', (_, rest) => {
  rest()
  vi.advanceTimersByTime(3 * PAUSE_MS)
  expect(asked).toBe(0)
})
