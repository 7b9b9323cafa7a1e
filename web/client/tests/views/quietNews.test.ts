import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope, type Ref } from 'vue'

import { QUIET_MS, useQuietNews } from '@/views/room/panels/useQuietNews'

let scope: EffectScope
let news: { said: Ref<string> }
const text = ref('')

beforeEach(() => {
  vi.useFakeTimers()
  text.value = 'one has trouble'
  scope = effectScope()
  scope.run(() => {
    news = { said: useQuietNews(text) }
  })
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

async function become(now: string, afterMs: number): Promise<void> {
  vi.advanceTimersByTime(afterMs)
  text.value = now
  await nextTick()
}

test('what is there already is not said', async () => {
  vi.advanceTimersByTime(2 * QUIET_MS)
  await nextTick()
  expect(news.said.value).toBe('')
})

test('changes that follow each other are one, and the last of them is what is true', async () => {
  await become('two have trouble', 1000)
  await become('three have trouble', 1000)
  expect(news.said.value).toBe('')
  vi.advanceTimersByTime(QUIET_MS - 2000)
  expect(news.said.value).toBe('three have trouble')
  await become('four have trouble', 1)
  vi.advanceTimersByTime(QUIET_MS - 2)
  expect(news.said.value).toBe('three have trouble')
  vi.advanceTimersByTime(1)
  expect(news.said.value).toBe('four have trouble')
})

test('after a quiet time a change is said at once, and nobody hears of one that came to nothing', async () => {
  await become('two have trouble', 2 * QUIET_MS)
  vi.advanceTimersByTime(0)
  expect(news.said.value).toBe('two have trouble')
  await become('three have trouble', 1)
  await become('two have trouble', 1)
  vi.advanceTimersByTime(QUIET_MS)
  expect(news.said.value).toBe('two have trouble')
})
