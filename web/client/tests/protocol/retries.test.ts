import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Problem } from '@/protocol/problem'
import { Retries } from '@/protocol/rooms/retries'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const busy = new Problem('rate_limited', '', { retryAfter: 0.1 })

const retries = (): [Retries<string>, string[]] => {
  const done: string[] = []
  return [
    new Retries((key) => {
      done.push(key)
      return Promise.resolve()
    }),
    done,
  ]
}

test('what was refused is done again after the wait, each once and one after the other', async () => {
  const [again, done] = retries()
  for (const key of ['one', 'two', 'one']) expect(again.after(busy, key)).toBe(true)
  await vi.advanceTimersByTimeAsync(99)
  expect(done).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(done).toEqual(['one'])
  await vi.advanceTimersByTimeAsync(100)
  expect(done).toEqual(['one', 'two'])
})

test('what time does not mend is not done again, nor what is no longer wanted', async () => {
  const [again, done] = retries()
  expect(again.after(new Problem('too_many_consumers'), 'one')).toBe(false)
  again.after(busy, 'two')
  again.clear()
  await vi.advanceTimersByTimeAsync(1000)
  expect(done).toEqual([])
})
