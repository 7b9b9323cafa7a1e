import { Device, type types } from 'mediasoup-client'
import {
  generateLocalDtlsParameters,
  generateNativeRtpCapabilities,
  generateRouterRtpCapabilities,
  generateTransportRemoteParameters,
} from 'mediasoup-client/fakeParameters'
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { PathKeeper } from '@/protocol/rooms/path'
import type { Ask } from '@/protocol/rooms/messages'
import { Problem } from '@/protocol/problem'

const { iceParameters } = generateTransportRemoteParameters()

let transport: types.Transport
let handler: Pick<FakeHandler, 'setConnectionState'>
let asked: string[]
let answer: () => unknown
let gone: number

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
  gone = 0
  answer = () => ({ iceParameters })
  new PathKeeper(transport, ask, () => (gone += 1))
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
  expect(asked).toEqual([])
})

test('a path that stays away gets ICE restarts until packets flow again', async () => {
  handler.setConnectionState('disconnected')
  await vi.advanceTimersByTimeAsync(2500)
  expect(asked).toEqual(['restartIce'])
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
  expect([asked.length, gone]).toEqual([1, 1])
})
