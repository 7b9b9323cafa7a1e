import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope, type ShallowRef } from 'vue'

import { useHeld } from '@/lib/useHeld'

const HELD_MS = 10_000
let scope: EffectScope
let held: ShallowRef<string | null>
const value = ref<string | null>(null)

beforeEach(() => {
  vi.useFakeTimers()
  value.value = null
  scope = effectScope()
  scope.run(() => (held = useHeld(() => value.value, HELD_MS)))
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

async function become(now: string | null): Promise<void> {
  value.value = now
  await nextTick()
}

test('follows at once from one to another', async () => {
  expect(held.value).toBe(null)
  await become('loss')
  expect(held.value).toBe('loss')
  await become('delay')
  expect(held.value).toBe('delay')
})

test('keeps the last for a while after there is none', async () => {
  await become('loss')
  await become(null)
  vi.advanceTimersByTime(HELD_MS - 1)
  expect(held.value).toBe('loss')
  vi.advanceTimersByTime(1)
  expect(held.value).toBe(null)
})

test('keeps what came back meanwhile for as long as it is there', async () => {
  await become('loss')
  await become(null)
  vi.advanceTimersByTime(HELD_MS - 1)
  await become('loss')
  vi.advanceTimersByTime(HELD_MS)
  expect(held.value).toBe('loss')
})

test('holds nothing for a component that is gone', async () => {
  await become('loss')
  await become(null)
  scope.stop()
  expect(vi.getTimerCount()).toBe(0)
})
