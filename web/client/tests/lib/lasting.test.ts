import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'

import { useLasting } from '@/lib/useLasting'

const LONG_MS = 15_000
let scope: EffectScope
let lasting: ReturnType<typeof useLasting>
const is = ref(false)

const begin = (): void => {
  scope = effectScope()
  scope.run(() => (lasting = useLasting(() => is.value, LONG_MS)))
}

beforeEach(() => {
  vi.useFakeTimers()
  is.value = false
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

async function become(now: boolean): Promise<void> {
  is.value = now
  await nextTick()
}

test('what passes by itself in time was not long', async () => {
  begin()
  await become(true)
  vi.advanceTimersByTime(LONG_MS - 1)
  expect(lasting.long.value).toBe(false)
  await become(false)
  vi.advanceTimersByTime(LONG_MS)
  expect(lasting.long.value).toBe(false)
})

test.each([
  ['is so from the beginning', true],
  ['becomes so', false],
])('what %s and stays is long, until it is over', async (_what, before) => {
  is.value = before
  begin()
  await become(true)
  vi.advanceTimersByTime(LONG_MS - 1)
  expect(lasting.long.value).toBe(false)
  vi.advanceTimersByTime(1)
  expect(lasting.long.value).toBe(true)
  await become(false)
  expect(lasting.long.value).toBe(false)
})

test('what is counted anew is not long again before the whole time has passed once more', () => {
  is.value = true
  begin()
  vi.advanceTimersByTime(LONG_MS)
  lasting.anew()
  expect(lasting.long.value).toBe(false)
  vi.advanceTimersByTime(LONG_MS - 1)
  expect(lasting.long.value).toBe(false)
  vi.advanceTimersByTime(1)
  expect(lasting.long.value).toBe(true)
})

test('counting anew what is over comes to nothing', () => {
  begin()
  lasting.anew()
  vi.advanceTimersByTime(LONG_MS)
  expect(lasting.long.value).toBe(false)
})

test('nothing is counted for a component that is gone', () => {
  is.value = true
  begin()
  scope.stop()
  expect(vi.getTimerCount()).toBe(0)
})
