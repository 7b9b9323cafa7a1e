import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { fakeDevice, other, track, type Connection } from './fakeMedia'
import { admitted, refusal, RoomServer, SILENCE } from './roomServer'

import type { ProducerEvent } from '@/protocol/rooms/messages'
import { RoomSession } from '@/protocol/rooms/session'
import { newRoomState, type RoomState } from '@/protocol/rooms/state'

let server: RoomServer
let url: string
let state: RoomState
let session: RoomSession
let heard: Map<string, MediaStreamTrack>
let silenced: string[]
let starved: Set<string>

let connections: Connection[]

const makeSession = (): RoomSession =>
  new RoomSession(
    {
      roomId: 'room',
      displayName: '王芳',
      url,
      makeDevice: () => fakeDevice(connections),
      notBegunRetryMs: 20,
    },
    state,
    {
      onTrack: (producer: ProducerEvent, received) => heard.set(producer.producerId, received),
      onTrackEnded: (producerId) => heard.delete(producerId),
      onStarved: (producerId, is) => (is ? starved.add(producerId) : starved.delete(producerId)),
      onSilenced: (source) => silenced.push(source),
      onSendFailed: (_source, problem) => {
        throw problem
      },
    },
  )

const isIn = (): Promise<void> => vi.waitFor(() => expect(state.phase).toBe('in'))

beforeEach(async () => {
  server = new RoomServer()
  url = await server.start()
  state = newRoomState()
  heard = new Map()
  silenced = []
  starved = new Set()
  connections = []
  session = makeSession()
})

afterEach(async () => {
  vi.useRealTimers()
  session.finish('left')
  await server.stop()
})

test('joins with the name and is in the room', async () => {
  session.enter()
  await isIn()
  expect(server.payloads('join')).toEqual([{ meetingId: 'room', displayName: '王芳' }])
})

test('voices are consumed at once, pictures only while somebody looks', async () => {
  server.peers = [other('camera', 'microphone')]
  session.enter()
  await server.until('resumeConsumer')
  expect([...heard.keys()]).toEqual(['other-microphone'])

  session.want('other-camera', { layer: 1 })
  await server.until('resumeConsumer', 2)
  expect([...heard.keys()].sort()).toEqual(['other-camera', 'other-microphone'])
  expect(server.payloads('setPreferredLayers')[0]).toMatchObject({ spatialLayer: 1 })

  session.want('other-camera', null)
  expect((await server.until('pauseConsumer'))[0]).toEqual(server.payloads('resumeConsumer')[1])
})

test('in a large room a muted microphone is consumed when it is opened, and stays so', async () => {
  const crowd = Array.from({ length: 60 }, (_, number) => {
    const peer = other('microphone')
    const producers = peer.producers.map((one) => ({
      ...one,
      producerId: `microphone-${number}`,
      paused: number > 2,
    }))
    return { ...peer, peerId: `peer-${number}`, producers }
  })
  server.peers = crowd
  session.enter()
  await vi.waitFor(() => expect(heard.size).toBe(3))
  const opened = {
    peerId: 'peer-9',
    producerId: 'microphone-9',
    kind: 'audio',
    source: 'microphone',
    paused: false,
  }
  server.tell('producerResumed', opened)
  await vi.waitFor(() => expect(heard.has('microphone-9')).toBe(true))
  server.tell('producerPaused', { ...opened, paused: true })
  server.tell('producerResumed', opened)
  await vi.waitFor(() => expect(state.peers[9]?.producers[0]?.paused).toBe(false))
  expect([...heard.keys()]).toEqual(['microphone-0', 'microphone-1', 'microphone-2', 'microphone-9'])
  expect(server.payloads('consume')).toHaveLength(4)
})

test('the picture that was chosen comes first where the line is narrow, and no longer than that', async () => {
  server.peers = [other('camera')]
  session.enter()
  session.want('other-camera', { layer: 2, first: true })
  await server.until('resumeConsumer')
  expect(server.payloads('setPriority')).toMatchObject([{ priority: 255 }])
  session.want('other-camera', { layer: 0 })
  await server.until('setPreferredLayers', 2)
  expect(server.payloads('setPriority')).toMatchObject([{ priority: 255 }, { priority: null }])
})

test('a picture that the line does not bear is named until it is back or gone', async () => {
  server.peers = [other('camera')]
  session.enter()
  session.want('other-camera', { layer: 1 })
  const [{ consumerId } = {}] = await server.until('resumeConsumer')
  const layers = (spatialLayer: number | null): void =>
    server.tell('consumerLayersChanged', { consumerId, spatialLayer, temporalLayer: spatialLayer })
  layers(null)
  await vi.waitFor(() => expect([...starved]).toEqual(['other-camera']))
  layers(0)
  await vi.waitFor(() => expect(starved.size).toBe(0))
  layers(null)
  await vi.waitFor(() => expect(starved.size).toBe(1))
  server.tell('producerClosed', { peerId: 'other', ...other('camera').producers[0] })
  await vi.waitFor(() => expect(starved.size).toBe(0))
})

test('a producer that closes takes its track away', async () => {
  server.peers = [other('microphone')]
  session.enter()
  await server.until('resumeConsumer')
  server.tell('producerClosed', { peerId: 'other', ...other('microphone').producers[0] })
  await vi.waitFor(() => expect(heard.size).toBe(0))
})

test('sends what was wished before it was in the room, muted without a word getting out', async () => {
  void session.send('microphone', track('audio'), true)
  session.enter()
  const [produced] = await server.until('produce')
  expect(produced).toMatchObject({ kind: 'audio', source: 'microphone', paused: true })
  await session.setPaused('microphone', false)
  expect(server.payloads('resumeProducer')).toEqual([{ producerId: 'producer-3' }])
})

test('a microphone that takes the place of a muted one is mute before it is sent', async () => {
  const replace = vi.spyOn(FakeHandler.prototype, 'replaceTrack')
  replace.mockImplementation((_, next) => {
    expect(next?.enabled).toBe(false)
    return Promise.resolve()
  })
  session.enter()
  await isIn()
  await session.send('microphone', track('audio'), true)
  await session.send('microphone', track('audio'), true)
  expect(replace).toHaveBeenCalledOnce()
  expect(server.payloads('resumeProducer')).toEqual([])
})

test('turning the camera off closes its producer', async () => {
  session.enter()
  await isIn()
  await session.send('camera', track('video'))
  expect(server.payloads('produce')[0]).toMatchObject({ kind: 'video', source: 'camera' })
  await session.send('camera', null)
  expect(server.payloads('closeProducer')).toHaveLength(1)
})

test('a host who mutes is told to the page', async () => {
  session.enter()
  await isIn()
  await session.send('microphone', track('audio'))
  server.tell('producerPaused', {
    peerId: 'me',
    producerId: 'producer-3',
    kind: 'audio',
    source: 'microphone',
    paused: true,
  })
  await vi.waitFor(() => expect(silenced).toEqual(['microphone']))
})

test('a cut connection comes back as the same participant with the same media objects', async () => {
  server.peers = [other('microphone')]
  session.enter()
  await server.until('resumeConsumer')
  const before = heard.get('other-microphone')

  server.cut()
  await vi.waitFor(() => expect(state.connected).toBe(false))
  expect(state.phase).toBe('in')
  const joins = await server.until('join', 2)
  expect(joins[1]).toMatchObject({ resumeToken: 'token-1' })
  await vi.waitFor(() => expect(state.connected).toBe(true))
  expect(heard.get('other-microphone')).toBe(before)
  expect(server.payloads('consume')).toHaveLength(1)
})

test('a server that forgot us gets everything anew', async () => {
  let joins = 0
  server.answers.join = () => {
    joins += 1
    server.forget()
    return { ok: true, data: admitted({ peerId: `me-${joins}`, peers: [other('microphone')] }) }
  }
  void session.send('microphone', track('audio'))
  session.enter()
  await server.until('produce')
  await server.until('resumeConsumer')
  server.cut()
  await server.until('produce', 2)
  await server.until('resumeConsumer', 2)
  expect(state.peerId).toBe('me-2')
  expect([...heard.keys()]).toEqual(['other-microphone'])
})

test('waits for a meeting that has not begun and goes in by itself', async () => {
  let begun = false
  server.answers.join = () =>
    begun
      ? { ok: true, data: admitted() }
      : refusal('meeting_not_started', { startsAt: '2026-11-23T11:30:00Z' })
  session.enter()
  await vi.waitFor(() => expect(state.phase).toBe('notBegun'))
  expect(state.startsAt).toBe('2026-11-23T11:30:00Z')
  begun = true
  await isIn()
})

test('waits in the lobby until a host admits', async () => {
  server.answers.join = () => ({ ok: true, data: admitted({ state: 'lobby' }) })
  session.enter()
  await vi.waitFor(() => expect(state.phase).toBe('lobby'))
  expect(server.payloads('createTransport')).toEqual([])
  server.tell('admitted', admitted({ resumeToken: 'token-2' }))
  await isIn()
})

test.each([
  ['rejected', {}, 'rejected'],
  ['removed', { reason: 'removed' }, 'removed'],
  ['removed', { reason: 'taken_over' }, 'takenOver'],
  ['meetingEnded', {}, 'ended'],
])('%s %j ends the visit as %s', async (event, payload, ending) => {
  session.enter()
  await isIn()
  server.tell(event, payload)
  await vi.waitFor(() => expect(state.ending).toBe(ending))
  expect(state.phase).toBe('over')
})

test('a refusal that time does not mend ends the visit and says why', async () => {
  server.answers.join = () => refusal('room_locked')
  session.enter()
  await vi.waitFor(() => expect(state.ending).toBe('failed'))
  expect(state.problem).toMatchObject({ code: 'room_locked', message: 'in words' })
})

test('a server whose limit of transports is filled by cut attempts gets a new participant', async () => {
  const make = server.answers.createTransport
  let refused = false
  server.answers.createTransport = (payload, socket) => {
    if (refused) return make?.(payload, socket)
    refused = true
    return refusal('too_many_transports')
  }
  server.peers = [other('microphone')]
  session.enter()
  await server.until('resumeConsumer')
  expect(server.payloads('leave')).toHaveLength(1)
  expect(server.payloads('join')[1]).not.toHaveProperty('resumeToken')
  expect(state.phase).toBe('in')
})

test.each([
  ['rate_limited', { retryAfter: 0.01 }, 0],
  ['too_many_transports', {}, 1],
])('media that the server has lost comes back, though %s is said first', async (code, details, leaves) => {
  server.peers = [other('microphone')]
  session.enter()
  await server.until('resumeConsumer')
  await session.send('microphone', track('audio'))
  const make = server.answers.createTransport
  let refusals = 1
  server.answers.createTransport = (payload, socket) =>
    refusals-- > 0 ? refusal(code, details) : make?.(payload, socket)
  server.answers.restartIce = () => refusal('transport_not_found')
  for (const connection of [...connections]) connection.setConnectionState('failed')
  await server.until('resumeConsumer', 2)
  const receiving = server.payloads('createTransport').filter(({ direction }) => direction === 'recv')
  expect(receiving).toHaveLength(3) // the lost one, the refused one, and one for both that were lost
  expect(server.payloads('leave')).toHaveLength(leaves)
  expect([...heard.keys()]).toEqual(['other-microphone'])
})

test('a lost transport that may not be made anew ends the visit and says why', async () => {
  session.enter()
  await isIn()
  await server.until('createTransport')
  server.answers.createTransport = () => refusal('not_admitted')
  server.answers.restartIce = () => refusal('transport_not_found')
  await vi.waitFor(() => expect(connections).toHaveLength(1))
  connections[0]?.setConnectionState('failed')
  await vi.waitFor(() => expect(state.ending).toBe('failed'))
  expect(state.problem).toMatchObject({ code: 'not_admitted' })
})

test('who leaves on a line that answers no more is not heard, hears nobody and is out within a second', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }) // Socket.IO takes what is there when it begins
  session = makeSession()
  server.peers = [other('microphone')]
  session.enter()
  await server.until('resumeConsumer')
  await session.send('microphone', track('audio'))
  const closings = vi.spyOn(FakeHandler.prototype, 'close')

  server.answers.leave = () => SILENCE
  const gone = session.leave()
  await server.until('leave')
  expect([heard.size, closings.mock.calls.length, state.phase]).toEqual([0, 2, 'in'])
  await vi.advanceTimersByTimeAsync(1000)
  expect([state.phase, state.ending]).toEqual(['over', 'left'])
  await gone
})

test('a server that names no troubles breaks nothing', async () => {
  session.enter()
  await isIn()
  server.tell('networkQuality', { peerId: 'me', up: 4, down: 3 })
  server.tell('roomLocked', { locked: true })
  await vi.waitFor(() => expect(state.locked).toBe(true))
  expect(state.network).toEqual({ peerId: 'me', up: 4, down: 3, troubles: [] })
})
