import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Server } from 'socket.io'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Problem } from '@/protocol/problem'
import { StationsClient } from '@/protocol/stations/client'

/** A ticket's or a desk's connection, over a real socket. */

let io: Server
let url: string
let client: StationsClient
let refusals: Record<string, unknown>[]
let happened: string[]
/** What becomes of asking for what is watched, each time anew. */
let watch: () => Promise<void>

beforeEach(async () => {
  const http = createServer()
  io = new Server(http)
  refusals = []
  happened = []
  watch = () => Promise.resolve(void happened.push('connected'))
  io.of('/stations').use((_socket, next) => {
    const data = refusals.shift()
    next(data && Object.assign(new Error(), { data }))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
})
afterEach(async () => {
  vi.useRealTimers()
  client.close()
  await io.close()
})

function enter(): void {
  client = new StationsClient({
    url,
    handlers: { ticket: () => happened.push('ticket') },
    watch: () => watch(),
    onUnwatched: ({ code }: Problem) => happened.push(`unwatched: ${code}`),
    onDisconnected: () => happened.push('lost'),
    onRefused: ({ code }: Problem) => happened.push(code),
  })
}

const until = (wanted: string[]): Promise<void> => vi.waitFor(() => expect(happened).toEqual(wanted))

test('a page that is shown again does not wait for the next attempt, and one that is closed stays away', async () => {
  enter()
  await until(['connected'])
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }) // no pause ends by itself
  for (const socket of io.of('/stations').sockets.values()) socket.conn.close()
  while (happened.length < 2) await new Promise((resolve) => setImmediate(resolve))
  client.wake(false)
  while (happened.length < 3) await new Promise((resolve) => setImmediate(resolve))
  expect(happened).toEqual(['connected', 'lost', 'connected'])
  client.wake(false) // one that was heard just now is trusted
  client.close()
  client.wake(true)
  expect(happened).toHaveLength(3)
})

test('what is asked while the line is away is not asked late', async () => {
  let calls = 0
  io.of('/stations').on('connection', (socket) => socket.on('callNext', () => (calls += 1)))
  enter()
  await expect(client.ask('callNext', {})).rejects.toMatchObject({ code: 'connection_lost' })
  await until(['connected'])
  void client.ask('callNext', {}).catch(() => undefined)
  await vi.waitFor(() => expect(calls).toBe(1))
})

test('who is refused for a passing reason tries again; who is not known is told so', async () => {
  refusals = [{ code: 'rate_limited', details: { retryAfter: 0.01 } }, { code: 'not_signed_in' }]
  enter()
  await until(['lost', 'lost', 'not_signed_in'])
})

test('who is put out by a server that restarts comes back when that is due', async () => {
  enter()
  await until(['connected'])
  io.of('/stations').emit('serverDraining', { reconnectAfterMs: 10 })
  io.of('/stations').disconnectSockets()
  await until(['connected', 'lost', 'connected'])
})

test('what is watched is asked for again where it was refused for a passing reason, and not for another', async () => {
  const answers = [
    new Problem('database_unavailable', '', { retryAfter: 0.01 }),
    new Problem('rate_limited', '', { retryAfter: 0.01 }),
    new Problem('forbidden'),
  ]
  watch = () => {
    const problem = answers.shift()
    happened.push(`asked: ${problem?.code}`)
    return problem ? Promise.reject(problem) : Promise.resolve()
  }
  enter()
  await until([
    'asked: database_unavailable',
    'asked: rate_limited',
    'asked: forbidden',
    'unwatched: forbidden',
  ])
})

test('a question that nobody answers is asked by a new connection', async () => {
  watch = () => {
    happened.push('asked')
    return happened.length === 1 ? Promise.reject(new Problem('timed_out')) : Promise.resolve()
  }
  enter()
  await until(['asked', 'lost', 'asked'])
})

test.each([
  ['before', ['asked', 'lost']],
  ['after', ['asked', 'lost', 'asked']],
])('what is found unanswered %s the next connection is no problem: that one asks', async (_, found) => {
  let told = false
  watch = async () => {
    happened.push('asked')
    if (happened.length > 1) return
    for (const socket of io.of('/stations').sockets.values()) socket.conn.close()
    await until(found)
    told = true
    throw new Problem('forbidden')
  }
  enter()
  await vi.waitFor(() => expect(told).toBe(true))
  await until(['asked', 'lost', 'asked'])
})
