import { Device } from 'mediasoup-client'
import { generateTransportRemoteParameters } from 'mediasoup-client/fakeParameters'
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { fakeDevice, other, track, type Connection } from './fakeMedia'
import { refusal, RoomServer, SILENCE } from './roomServer'

import { asProblem } from '@/protocol/problem'
import type { Source } from '@/protocol/rooms/messages'
import { RoomSession } from '@/protocol/rooms/session'
import { newRoomState, type RoomState } from '@/protocol/rooms/state'

/** What the server and this client make of each other's word across a line that goes away in between. */

let server: RoomServer
let url: string
let state: RoomState
let session: RoomSession
let connections: Connection[]
let failed: string[]
let silenced: Source[]

beforeEach(async () => {
  server = new RoomServer()
  url = await server.start()
  state = newRoomState()
  connections = []
  failed = []
  silenced = []
  enter()
  await server.until('createTransport') // what is sent from now on goes out at once
})

function enter(): void {
  session = new RoomSession(
    { roomId: 'room', url, makeDevice: () => fakeDevice(connections), answerMs: 200 },
    state,
    {
      onTrack: () => undefined,
      onTrackEnded: () => undefined,
      onStarved: () => undefined,
      onSilenced: (source) => silenced.push(source),
      onSendFailed: (source, problem) => failed.push(`${source} ${asProblem(problem).code}`),
    },
  )
  session.enter()
}

afterEach(async () => {
  session.finish('left')
  await server.stop()
})

const cut = async (): Promise<void> => {
  server.cut()
  await vi.waitFor(() => expect(state.connected).toBe(false))
}

const back = async (): Promise<void> => {
  await server.until('join', 2)
  await vi.waitFor(() => expect(state.connected).toBe(true))
}

/** What the server has of this participant. */
const sent = (): Partial<Record<Source, 'on' | 'paused'>> =>
  Object.fromEntries(
    [...server.producers.values()].map(({ info }) => [info.source, info.paused ? 'paused' : 'on']),
  )

const serverHas = (wanted: ReturnType<typeof sent>): Promise<void> =>
  vi.waitFor(() => expect(sent()).toEqual(wanted))

test('a camera turned off while the line is away is off after it, and can be turned on again', async () => {
  await session.send('camera', track('video'))
  await cut()
  await session.send('camera', null)
  await back()
  await serverHas({})
  await session.send('camera', track('video'))
  expect(sent()).toEqual({ camera: 'on' })
  expect(failed).toEqual([])
})

test('a camera turned off and on while the line is away is sent with its new track', async () => {
  await session.send('camera', track('video'))
  await cut()
  await session.send('camera', null)
  await session.send('camera', track('video'))
  await back()
  await vi.waitFor(() => expect([...server.producers.keys()]).toEqual(['producer-4']))
  expect(failed).toEqual([])
})

test.each([
  ['was taken, but not answered', true],
  ['did not arrive', false],
])('a microphone whose sending %s before the cut is heard after it', async (_when, taken) => {
  server.once('produce', (usual, socket) => {
    if (taken) usual()
    socket.conn.close()
    return SILENCE
  })
  void session.send('microphone', track('audio'))
  await back()
  await server.until('produce', 2)
  await serverHas({ microphone: 'on' })
  expect(failed).toEqual([])
})

test('who asked, on whichever device, not to be in the picture says so with the next join', async () => {
  server.tell('recordPicture', { wanted: false })
  await vi.waitFor(() => expect(state.recordPicture).toBe(false))
  await cut()
  await back()
  expect(server.payloads('join')[1]).toMatchObject({ recordPicture: false })
  server.tell('recordPicture', { wanted: true })
  await vi.waitFor(() => expect(state.recordPicture).toBe(true))
  await cut()
  expect((await server.until('join', 3))[2]).not.toHaveProperty('recordPicture')
})

test('a connection whose making was cut is made after it, with the one section the browser has for its track', async () => {
  server.once('connectTransport', (_usual, socket) => {
    socket.conn.close()
    return SILENCE
  })
  const sending = vi.spyOn(FakeHandler.prototype, 'send')
  void session.send('microphone', track('audio'))
  await back()
  await server.until('connectTransport', 2)
  await serverHas({ microphone: 'on' })
  expect(sending).toHaveBeenCalledOnce()
  expect(failed).toEqual([])
})

test('what is muted while the line is away is muted after it', async () => {
  await session.send('microphone', track('audio'))
  await cut()
  await session.setPaused('microphone', true)
  await back()
  await serverHas({ microphone: 'paused' })
})

test('a consumer whose answer was cut off is closed after it, and the voice consumed once', async () => {
  server.once('consume', (usual, socket) => {
    usual()
    socket.conn.close()
    return SILENCE
  })
  const speaker = other('microphone')
  server.peers = [speaker]
  server.tell('producerAdded', { ...speaker.producers[0], peerId: speaker.peerId })
  await back()
  await vi.waitFor(() =>
    expect([...server.consumers.values()].map(({ info }) => info.paused)).toEqual([false]),
  )
  expect(server.payloads('consume')).toHaveLength(2)
})

const silenceAtServer = (): void => {
  for (const { info } of server.producers.values()) info.paused = true
}

test('whom a host mutes while the line is away is told so, stays mute and may unmute himself', async () => {
  await session.send('microphone', track('audio'))
  await cut()
  silenceAtServer()
  await back()
  await vi.waitFor(() => expect(silenced).toEqual(['microphone']))
  await session.setPaused('microphone', true) // as the page does
  expect(sent()).toEqual({ microphone: 'paused' })
  await session.setPaused('microphone', false)
  expect(sent()).toEqual({ microphone: 'on' })
  expect(server.payloads('resumeProducer')).toHaveLength(1)
})

test('who is muted by a host and loses a transport while the line is away stays mute', async () => {
  await session.send('microphone', track('audio'))
  await cut()
  silenceAtServer()
  server.transports.delete('transport-1')
  await back()
  await server.until('produce', 2)
  expect(silenced).toEqual(['microphone'])
  expect(sent()).toEqual({ microphone: 'paused' })
})

test('who muted himself and unmutes while the line is away is heard after it', async () => {
  await session.send('microphone', track('audio'), true)
  await cut()
  await session.setPaused('microphone', false)
  await back()
  await serverHas({ microphone: 'on' })
  expect(silenced).toEqual([])
})

test.each(['produce', 'resumeProducer', 'closeProducer'])(
  'a line so slow that %s is not answered is given up for a new one, where all is as wished',
  async (event) => {
    server.once(event, (usual) => {
      usual()
      return SILENCE
    })
    await session.send('microphone', track('audio'), true)
    await session.setPaused('microphone', false)
    await session.send('microphone', null)
    await session.send('microphone', track('audio'))
    await back()
    await serverHas({ microphone: 'on' })
    expect(failed).toEqual([])
  },
)

test('of media built anew the server keeps nothing old', async () => {
  await session.send('microphone', track('audio'))
  const before = [...server.transports.keys()]
  server.answers.restartIce = () => refusal('transport_not_found')
  server.transports.delete(before[0] ?? '') // one of the two; the other stands
  connections[0]?.setConnectionState('failed')
  await server.until('produce', 2)
  await serverHas({ microphone: 'on' })
  expect([...server.transports.values()].sort()).toEqual(['recv', 'send'])
  expect([...server.transports.keys()]).not.toContain(before[1])
  expect(failed).toEqual([])
})

/** How the server sends them on. */
const received = (): Record<string, boolean> =>
  Object.fromEntries([...server.consumers.values()].map(({ info }) => [info.producerId, !info.paused]))

const come = (...sources: ('camera' | 'microphone')[]): void => {
  const [peer] = (server.peers = [other(...sources)])
  server.tell('peerJoined', { ...peer, producers: undefined })
  for (const producer of peer?.producers ?? []) server.tell('producerAdded', { peerId: 'other', ...producer })
}

const PASSING = [
  ['rate_limited', { retryAfter: 0.01 }],
  ['internal_error', { retryAfter: 0.01 }],
] as const

test.each(
  ['consume', 'setPriority', 'setPreferredLayers', 'resumeConsumer'].flatMap((event) =>
    PASSING.map(([code, details]) => [event, code, details] as const),
  ),
)('a picture is seen as it is wished though %s was refused once as %s', async (event, code, details) => {
  server.once(event, () => refusal(code, details))
  come('camera')
  session.want('other-camera', { layer: 1, first: true })
  await server.until(event, 2)
  await vi.waitFor(() => expect(received()).toEqual({ 'other-camera': true }))
  expect(server.payloads('setPriority').at(-1)).toMatchObject({ priority: 255 })
  expect(server.payloads('setPreferredLayers').at(-1)).toMatchObject({ spatialLayer: 1 })
})

test.each(['produce', 'resumeProducer', 'closeProducer'])(
  'what is sent is as it is wished though %s was refused once for a passing reason',
  async (event) => {
    server.once(event, () => refusal('rate_limited', { retryAfter: 0.01 }))
    await session.send('microphone', track('audio'), true)
    await session.setPaused('microphone', false)
    await serverHas({ microphone: 'on' })
    await session.send('microphone', null)
    await serverHas({})
    expect(failed).toEqual([])
  },
)

test('a tile that is made larger while the line is away gets its size after it', async () => {
  come('camera')
  session.want('other-camera', { layer: 0 })
  await server.until('resumeConsumer')
  await cut()
  session.want('other-camera', { layer: 2, first: true })
  await back()
  await server.until('setPreferredLayers', 2)
  expect(server.payloads('setPreferredLayers').at(-1)).toMatchObject({ spatialLayer: 2 })
  expect(server.payloads('setPriority').at(-1)).toMatchObject({ priority: 255 })
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
  come('microphone')
  await server.until('resumeConsumer')
  await session.send('microphone', track('audio'), true)
  failDtls()
  connections.at(-1)?.setConnectionState('failed')
  await server.until('produce', 2)
  await serverHas({ microphone: 'paused' })
  expect(server.asked.map(({ event }) => event).slice(-5)).toEqual([
    'restartIce',
    'closeTransport',
    'createTransport',
    'connectTransport',
    'produce',
  ])
  expect([...server.transports.values()].sort()).toEqual(['recv', 'send'])
  expect(server.payloads('consume')).toHaveLength(1)
  expect([state.connected, failed]).toEqual([true, []])
})

test('a receiving transport whose DTLS failed is made anew and everything consumed on it; sending goes on', async () => {
  come('camera', 'microphone')
  session.want('other-camera', { layer: 1 })
  await server.until('resumeConsumer', 2)
  await session.send('microphone', track('audio'))
  failDtls()
  connections[0]?.setConnectionState('failed')
  await server.until('resumeConsumer', 4)
  await vi.waitFor(() => expect(received()).toEqual({ 'other-camera': true, 'other-microphone': true }))
  expect(server.payloads('produce')).toHaveLength(1)
})

const noPath = (): void =>
  server.tell('networkQuality', { peerId: 'me', up: 0, down: 0, troubles: ['noPath'] })

test('a transport whose DTLS ended at the server alone is made anew though the browser calls it connected', async () => {
  await vi.waitFor(() => expect(connections).toHaveLength(1))
  connections[0]?.setConnectionState('connected')
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

test('a server that names no troubles breaks nothing', async () => {
  server.tell('networkQuality', { peerId: 'me', up: 4, down: 3 })
  server.tell('roomLocked', { locked: true })
  await vi.waitFor(() => expect(state.locked).toBe(true))
  expect(state.network).toEqual({ peerId: 'me', up: 4, down: 3, troubles: [] })
})

test('who is not helped by a new transport is told that the line is lost, until media get through', async () => {
  await vi.waitFor(() => expect(connections).toHaveLength(1))
  failDtls()
  connections[0]?.setConnectionState('failed')
  await vi.waitFor(() => expect(connections).toHaveLength(2))
  expect(state.connected).toBe(true)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  connections[1]?.setConnectionState('failed')
  await vi.advanceTimersByTimeAsync(0)
  await answered('restartIce', 2)
  await vi.advanceTimersByTimeAsync(5000)
  await answered('createTransport', 3)
  vi.useRealTimers()
  expect(state.connected).toBe(false)
  connections[2]?.setConnectionState('connected')
  expect(state.connected).toBe(true)
})

test('a page that is shown again does not wait for the next attempt', async () => {
  session.finish('left')
  state = newRoomState()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }) // no pause of this session's ends by itself
  enter()
  await server.until('createTransport', 2)
  server.cut()
  while (state.connected) await new Promise((resolve) => setImmediate(resolve))
  session.wake(false)
  await server.until('join', 3)
  vi.useRealTimers()
})

test.each([
  ['shown with a line that was heard just now', 0, false, 1],
  ['shown with one that was last heard before the sleep', 20_000, false, 2],
  ['shown with one that the new network cannot have', 0, true, 2],
])('a page %s trusts it or not', async (_how, asleep, networkBack, joins) => {
  const now = Date.now()
  vi.spyOn(Date, 'now').mockReturnValue(now + asleep)
  session.wake(networkBack)
  vi.mocked(Date.now).mockRestore()
  const trusted = await session.raiseHand(true).then(
    () => true,
    () => false,
  )
  expect(trusted).toBe(joins === 1)
  await server.until('join', joins)
})

test('transports that outlive a cut get the newest servers for their next ICE restart', async () => {
  await session.send('microphone', track('audio'))
  const iceServers = [{ urls: 'turn:relay.example', username: 'later', credential: 'newer' }]
  const set = vi.spyOn(FakeHandler.prototype, 'updateIceServers')
  server.once('join', (usual) => {
    const answer = usual() as { data: object }
    return { ...answer, data: { ...answer.data, iceServers } }
  })
  await cut()
  await back()
  await vi.waitFor(() => expect(set.mock.calls).toEqual([[iceServers], [iceServers]]))
  set.mockRestore()
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
