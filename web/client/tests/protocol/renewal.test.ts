import { expect, test, vi } from 'vitest'
import { Device } from 'mediasoup-client'
import { generateTransportRemoteParameters } from 'mediasoup-client/fakeParameters'

import { server, session, state, visit, visitEachTest } from './visit'

import { track } from './fakeMedia'
import { refusal } from './roomServer'

import { RENEWALS } from '@/protocol/rooms/path'

/** Transports that carry nothing, and others in their place. */

visitEachTest()

test('of media built anew the server keeps nothing old', async () => {
  await session.send('microphone', track('audio'))
  const before = [...server.transports.keys()]
  server.answers.restartIce = () => refusal('transport_not_found')
  server.transports.delete(before[0] ?? '') // one of the two; the other stands
  visit.connections[0]?.setConnectionState('failed')
  await server.until('produce', 2)
  await visit.serverHas({ microphone: 'on' })
  expect([...server.transports.values()].sort()).toEqual(['recv', 'send'])
  expect([...server.transports.keys()]).not.toContain(before[1])
  expect(visit.failed).toEqual([])
})

/** The client has had the answer too. */
const answered = async (event: string, times: number): Promise<void> => {
  await server.until(event, times)
  await session.raiseHand(true) // answers come in order
}

const { iceParameters } = generateTransportRemoteParameters()
const failDtls = (): void => {
  server.answers.restartIce = () => ({ ok: true, data: { iceParameters, dtlsState: 'failed' } })
}

test('a sending transport whose DTLS failed is closed and made anew with what it sent; the other stays', async () => {
  visit.come('microphone')
  await server.until('resumeConsumer')
  await session.send('microphone', track('audio'), true)
  failDtls()
  visit.connections.at(-1)?.setConnectionState('failed')
  await server.until('produce', 2)
  await visit.serverHas({ microphone: 'paused' })
  expect(server.asked.map(({ event }) => event).slice(-5)).toEqual([
    'restartIce',
    'closeTransport',
    'createTransport',
    'connectTransport',
    'produce',
  ])
  expect([...server.transports.values()].sort()).toEqual(['recv', 'send'])
  expect(server.payloads('consume')).toHaveLength(1)
  expect([state.connected, visit.failed]).toEqual([true, []])
})

test('a receiving transport whose DTLS failed is made anew and everything consumed on it; sending goes on', async () => {
  visit.come('camera', 'microphone')
  session.want('other-camera', { layer: 1 })
  await server.until('resumeConsumer', 2)
  await session.send('microphone', track('audio'))
  failDtls()
  visit.connections[0]?.setConnectionState('failed')
  await server.until('resumeConsumer', 4)
  await vi.waitFor(() => expect(visit.received()).toEqual({ 'other-camera': true, 'other-microphone': true }))
  expect(server.payloads('produce')).toHaveLength(1)
})

const noPath = (): void =>
  server.tell('networkQuality', { peerId: 'me', up: 0, down: 0, troubles: ['noPath'] })

test('a transport whose DTLS ended at the server alone is made anew though the browser calls it connected', async () => {
  await vi.waitFor(() => expect(visit.connections).toHaveLength(1))
  visit.connections[0]?.setConnectionState('connected')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  server.answers.restartIce = () => ({ ok: true, data: { iceParameters, dtlsState: 'connected' } })
  const doubted = async (times: number): Promise<void> => {
    noPath()
    await answered('raiseHand', server.payloads('raiseHand').length) // events come before it
    await vi.advanceTimersByTimeAsync(2500)
    await answered('restartIce', times)
  }
  await doubted(1) // what was told was overtaken
  expect(server.payloads('createTransport')).toHaveLength(1)
  failDtls()
  await doubted(2)
  vi.useRealTimers()
  await server.until('createTransport', 2)
  expect(server.payloads('closeTransport')).toHaveLength(1)
})

/** The browser has no path, and has looked for so long as nothing helped: until the server was asked `times` times. */
async function fails(connection: number, times: number): Promise<void> {
  visit.connections[connection]?.setConnectionState('failed')
  while (server.payloads('createTransport').length < times) {
    await vi.advanceTimersByTimeAsync(1000)
    await session.raiseHand(true) // answers come in order
  }
}

/** Everything but what the session's own pauses are made of goes on by itself. */
const waitByHand = (): unknown => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

test('who is not helped by new transports knows so, tries on, and chats and raises his hand meanwhile', async () => {
  visit.come('microphone')
  await server.until('resumeConsumer')
  expect(state.flows).toEqual({ send: true, recv: true })
  failDtls()
  waitByHand()
  for (let made = 1; made <= RENEWALS + 3; made += 1) {
    await fails(made - 1, made + 1)
    expect([state.connected, state.flows]).toEqual([true, { send: true, recv: false }])
    await session.say('听不见')
  }
  vi.useRealTimers()
  await vi.waitFor(() => expect(server.transports.size).toBe(1)) // none is left there
  await vi.waitFor(() => expect(visit.connections).toHaveLength(RENEWALS + 4))
  visit.connections.at(-1)?.setConnectionState('connected')
  expect(state.flows.recv).toBe(true)
})

test('whoever cannot wait has what does not get through made anew at once, and nothing else', async () => {
  visit.come('microphone')
  await server.until('resumeConsumer')
  await session.send('microphone', track('audio'))
  const [listening, speaking] = visit.connections
  listening?.setConnectionState('connected')
  speaking?.setConnectionState('failed')
  await server.until('restartIce')
  expect(state.flows).toEqual({ send: false, recv: true })
  session.retry()
  await server.until('produce', 2)
  await visit.serverHas({ microphone: 'on' })
  expect(server.payloads('createTransport').map(({ direction }) => direction)).toEqual([
    'recv',
    'send',
    'send',
  ])
  visit.connections.at(-1)?.setConnectionState('connected')
  expect(state.flows).toEqual({ send: true, recv: true })
})

test('whom nobody is left to hear misses nothing', async () => {
  visit.come('microphone')
  await server.until('resumeConsumer')
  failDtls()
  server.tell('peerLeft', { peerId: 'other', reason: 'left' })
  await vi.waitFor(() => expect(state.peers).toEqual([]))
  visit.connections[0]?.setConnectionState('failed')
  await server.until('createTransport', 2)
  await vi.waitFor(() => expect(state.flows.recv).toBe(true))
})

test('a transport that is made hours after the join has the servers of its own answer', async () => {
  const making = vi.spyOn(Device.prototype, 'createSendTransport')
  const iceServers = [{ urls: 'turn:relay.example', username: 'later', credential: 'newer' }]
  server.once('createTransport', (usual) => {
    const answer = usual() as { data: object }
    return { ...answer, data: { ...answer.data, iceServers } }
  })
  await session.send('microphone', track('audio'))
  expect(making.mock.calls[0]?.[0]).toMatchObject({ iceServers })
  making.mockRestore()
})
