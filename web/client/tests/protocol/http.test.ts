import { expect, test, vi } from 'vitest'

import { HttpClient } from '@/protocol/http/client'
import type { Problem } from '@/protocol/problem'

const answering = (status: number, body: unknown): { client: HttpClient; asked: Request[] } => {
  const asked: Request[] = []
  const client = new HttpClient('https://huitang.example/api', (input, init) => {
    asked.push(new Request(input, init))
    return Promise.resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }))
  })
  return { client, asked }
}

const problemOf = (promise: Promise<unknown>): Promise<Problem> =>
  promise.then(
    () => Promise.reject(new Error('nothing was refused')),
    (error: unknown) => error as Problem,
  )

test('asks with the query that is there and reads JSON', async () => {
  const { client, asked } = answering(200, { items: [] })
  expect(await client.get('/meetings', { from: 'x', cursor: undefined, limit: 5 })).toEqual({ items: [] })
  expect(asked[0]?.url).toBe('https://huitang.example/api/meetings?from=x&limit=5')
})

test('a refusal carries its code, details and status', async () => {
  const body = { error: { code: 'rate_limited', message: '请稍后', details: { retryAfter: 30 } } }
  const problem = await problemOf(answering(429, body).client.post('/session'))
  expect(problem).toMatchObject({
    code: 'rate_limited',
    message: '请稍后',
    status: 429,
    details: { retryAfter: 30 },
  })
})

test.each(['<html>proxy</html>', '', '[]', '{"error": 1}'])(
  'an answer that is not ours (%s) is named so',
  async (body) => {
    expect(await problemOf(answering(502, body).client.get('/meetings'))).toMatchObject({
      code: 'unexpected_answer',
      status: 502,
    })
  },
)

test('no network is a problem of its own', async () => {
  const client = new HttpClient('https://huitang.example/api', () =>
    Promise.reject(new TypeError('Failed to fetch')),
  )
  expect(await problemOf(client.get('/meetings'))).toMatchObject({ code: 'network_unreachable' })
})

test('a lost session is told, but not where one only asks for it or signs in', async () => {
  const { client } = answering(401, { error: { code: 'unauthenticated' } })
  const signedOut = vi.fn()
  client.onSignedOut = signedOut
  await problemOf(client.get('/session'))
  expect(signedOut).not.toHaveBeenCalled()
  await problemOf(client.get('/meetings'))
  expect(signedOut).toHaveBeenCalledOnce()
})

test("the server's clock counts, and this device's where the server told none", async () => {
  const hour = 3_600_000
  const headers = { date: new Date(Date.now() + hour).toUTCString() }
  const client = new HttpClient('https://huitang.example/api', () =>
    Promise.resolve(new Response('{}', { headers })),
  )
  expect(Math.abs(client.now() - Date.now())).toBeLessThan(100)
  await client.get('/session')
  expect(Math.abs(client.now() - Date.now() - hour)).toBeLessThan(2000)
})
