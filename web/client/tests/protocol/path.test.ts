import { Device, type types } from 'mediasoup-client'
import {
  generateLocalDtlsParameters,
  generateNativeRtpCapabilities,
  generateRouterRtpCapabilities,
  generateTransportRemoteParameters,
} from 'mediasoup-client/fakeParameters'
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { PathKeeper, RENEWALS } from '@/protocol/rooms/path'
import type { Ask } from '@/protocol/rooms/messages'
import { Problem } from '@/protocol/problem'

const { iceParameters } = generateTransportRemoteParameters()

let transport: types.Transport
let handler: FakeHandler
let asked: string[]
let answer: () => unknown
let told: string[]
let renewals: number
let away: number

const ask: Ask = (event) => {
  asked.push(event)
  return Promise.resolve().then(answer) as never
}

beforeEach(async () => {
  const device = new Device({
    handlerFactory: FakeHandler.createFactory({ generateNativeRtpCapabilities, generateLocalDtlsParameters }),
  })
  await device.load({ routerRtpCapabilities: generateRouterRtpCapabilities() })
  transport = device.createRecvTransport(generateTransportRemoteParameters())
  handler = transport.handler as unknown as typeof handler
  vi.useFakeTimers()
  asked = []
  told = []
  renewals = 0
  away = 0
  answer = () => ({ iceParameters })
  new PathKeeper(transport, ask, {
    onGone: () => told.push('gone'),
    onAway: () => (away += 1),
    onSpent: () => told.push('spent'),
    onUp: () => told.push('up'),
    renewals: () => renewals,
  })
})

afterEach(() => {
  transport.close()
  vi.useRealTimers()
})

test('a path that mends itself is left alone', async () => {
  handler.setConnectionState('disconnected')
  await vi.advanceTimersByTimeAsync(1000)
  handler.setConnectionState('connected')
  await vi.advanceTimersByTimeAsync(20_000)
  expect([asked, away]).toEqual([[], 0])
})

test('a path that stays away gets ICE restarts until packets flow again', async () => {
  handler.setConnectionState('disconnected')
  await vi.advanceTimersByTimeAsync(2500)
  expect([asked, away]).toEqual([['restartIce'], 1])
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked).toHaveLength(2)
  handler.setConnectionState('connected')
  await vi.advanceTimersByTimeAsync(20_000)
  expect(asked).toHaveLength(2)
})

test('a failed path is not waited for, and a lost signaling connection only delays the restart', async () => {
  answer = () => {
    throw new Problem('connection_lost')
  }
  handler.setConnectionState('failed')
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toHaveLength(1)
  answer = () => ({ iceParameters })
  await vi.advanceTimersByTimeAsync(5000)
  expect(asked).toHaveLength(2)
})

test('a transport the server has lost is told once', async () => {
  answer = () => {
    throw new Problem('transport_not_found')
  }
  handler.setConnectionState('failed')
  await vi.advanceTimersByTimeAsync(20_000)
  expect([asked.length, told]).toEqual([1, ['gone']])
})

/** How many times the server is asked before the transport is given up, after so many others were. */
test.each([
  ['failed', 0, 1],
  ['failed', 1, 2],
  ['failed', 3, 8],
  ['connected', 0, 3],
  ['connected', 1, 5],
] as const)(
  'with DTLS %s and %i transports given up, this one is after %i looks',
  async (dtlsState, before, looks) => {
    renewals = before
    answer = () => ({ iceParameters, dtlsState })
    handler.setConnectionState('failed')
    await vi.advanceTimersByTimeAsync(200_000)
    expect([asked.length, told]).toEqual([looks, ['spent']])
  },
)

/** In seconds: when the server is asked, of which the last time the transport is given up. */
test.each([
  ['failed', [0, 30]],
  ['connected', [0, 30, 60, 90, 120]],
] as const)(
  'with DTLS %s the later transports are given up seldom, but tried on',
  async (dtlsState, looks) => {
    renewals = RENEWALS + 7
    answer = () => ({ iceParameters, dtlsState })
    handler.setConnectionState('failed')
    const when: number[] = []
    for (let second = 0; second < 600; second += 1) {
      const before = asked.length
      await vi.advanceTimersByTimeAsync(second === 0 ? 0 : 1000)
      if (asked.length > before) when.push(second)
    }
    expect([when, told]).toEqual([looks, ['spent']])
  },
)

test('a handshake that does not end is looked at', async () => {
  answer = () => ({ iceParameters, dtlsState: 'failed' })
  handler.setConnectionState('connecting')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(told).toEqual(['spent'])
})

test('the servers of the answer are set before ICE is restarted with them', async () => {
  const iceServers = [{ urls: 'turn:relay.example', username: 'later', credential: 'newer' }]
  answer = () => ({ iceParameters, iceServers })
  const steps: unknown[] = []
  vi.spyOn(transport, 'updateIceServers').mockImplementation((set) => Promise.resolve(void steps.push(set)))
  vi.spyOn(transport, 'restartIce').mockImplementation(() => Promise.resolve(void steps.push('restart')))
  handler.setConnectionState('failed')
  await vi.advanceTimersByTimeAsync(0)
  expect(steps).toEqual([{ iceServers }, 'restart'])
})

test('a browser that takes no other servers restarts ICE all the same', async () => {
  answer = () => ({ iceParameters, iceServers: [] })
  vi.spyOn(handler, 'updateIceServers').mockRejectedValue(new Error('not supported'))
  const restart = vi.spyOn(handler, 'restartIce')
  handler.setConnectionState('failed')
  await vi.advanceTimersByTimeAsync(0)
  expect(restart).toHaveBeenCalledWith(iceParameters)
})
