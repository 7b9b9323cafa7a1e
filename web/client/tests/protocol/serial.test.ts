import { expect, test } from 'vitest'

import { Serials } from '@/protocol/rooms/serial'

test('of each key one thing at a time, of different keys together, and nothing is kept of a key at rest', async () => {
  const serials = new Serials<string>()
  const begun: string[] = []
  const endings: (() => void)[] = []
  const act = (key: string, name: string): Promise<void> =>
    serials.run(key, () => {
      begun.push(name)
      return new Promise((done) => endings.push(done))
    })
  const all = [act('one', 'first'), act('one', 'second'), act('other', 'third')]
  await Promise.resolve()
  expect(begun).toEqual(['first', 'third'])
  expect(serials.size).toBe(2)
  endings.forEach((end) => end())
  await all[0]
  await all[2]
  expect(begun).toEqual(['first', 'third', 'second'])
  expect(serials.size).toBe(1)
  endings[2]?.()
  await all[1]
  expect(serials.size).toBe(0)
})

test("a failure is the caller's, and keeps neither the next one nor its key", async () => {
  const serials = new Serials<number>()
  const failed = serials.run(1, () => Promise.reject(new Error('no')))
  const next = serials.run(1, () => Promise.resolve('yes'))
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('yes')
  expect(serials.size).toBe(0)
})
