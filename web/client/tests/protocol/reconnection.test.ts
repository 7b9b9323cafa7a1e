import { expect, test, vi } from 'vitest'
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler'

import { enterAnew, server, session, state, visit, visitEachTest } from './visit'

import { other, track } from './fakeMedia'
import { refusal, SILENCE } from './roomServer'

/** What the server and this client make of each other's word across a line that goes away in between. */

visitEachTest()

const cut = async (): Promise<void> => {
  server.cut()
  await vi.waitFor(() => expect(state.connected).toBe(false))
}

const back = async (): Promise<void> => {
  await server.until('join', 2)
  await vi.waitFor(() => expect(state.connected).toBe(true))
}

test('a camera turned off while the line is away is off after it, and can be turned on again', async () => {
  await session.send('camera', track('video'))
  await cut()
  await session.send('camera', null)
  await back()
  await visit.serverHas({})
  await session.send('camera', track('video'))
  expect(visit.sent()).toEqual({ camera: 'on' })
  expect(visit.failed).toEqual([])
})

test('a camera turned off and on while the line is away is sent with its new track', async () => {
  await session.send('camera', track('video'))
  await cut()
  await session.send('camera', null)
  await session.send('camera', track('video'))
  await back()
  await vi.waitFor(() => expect([...server.producers.keys()]).toEqual(['producer-4']))
  expect(visit.failed).toEqual([])
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
  await visit.serverHas({ microphone: 'on' })
  expect(visit.failed).toEqual([])
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
  await visit.serverHas({ microphone: 'on' })
  expect(sending).toHaveBeenCalledOnce()
  expect(visit.failed).toEqual([])
})

test('what is muted while the line is away is muted after it', async () => {
  await session.send('microphone', track('audio'))
  await cut()
  await session.setPaused('microphone', true)
  await back()
  await visit.serverHas({ microphone: 'paused' })
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
  await vi.waitFor(() => expect(visit.silenced).toEqual(['microphone']))
  await session.setPaused('microphone', true) // as the page does
  expect(visit.sent()).toEqual({ microphone: 'paused' })
  await session.setPaused('microphone', false)
  expect(visit.sent()).toEqual({ microphone: 'on' })
  expect(server.payloads('resumeProducer')).toHaveLength(1)
})

test('who is muted by a host and loses a transport while the line is away stays mute', async () => {
  await session.send('microphone', track('audio'))
  await cut()
  silenceAtServer()
  server.transports.delete('transport-1')
  await back()
  await server.until('produce', 2)
  expect(visit.silenced).toEqual(['microphone'])
  expect(visit.sent()).toEqual({ microphone: 'paused' })
})

test('who muted himself and unmutes while the line is away is heard after it', async () => {
  await session.send('microphone', track('audio'), true)
  await cut()
  await session.setPaused('microphone', false)
  await back()
  await visit.serverHas({ microphone: 'on' })
  expect(visit.silenced).toEqual([])
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
    await visit.serverHas({ microphone: 'on' })
    expect(visit.failed).toEqual([])
  },
)

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
  visit.come('camera')
  session.want('other-camera', { layer: 1, first: true })
  await server.until(event, 2)
  await vi.waitFor(() => expect(visit.received()).toEqual({ 'other-camera': true }))
  expect(server.payloads('setPriority').at(-1)).toMatchObject({ priority: 255 })
  expect(server.payloads('setPreferredLayers').at(-1)).toMatchObject({ spatialLayer: 1 })
})

test.each(['produce', 'resumeProducer', 'closeProducer'])(
  'what is sent is as it is wished though %s was refused once for a passing reason',
  async (event) => {
    server.once(event, () => refusal('rate_limited', { retryAfter: 0.01 }))
    await session.send('microphone', track('audio'), true)
    await session.setPaused('microphone', false)
    await visit.serverHas({ microphone: 'on' })
    await session.send('microphone', null)
    await visit.serverHas({})
    expect(visit.failed).toEqual([])
  },
)

test('a tile that is made larger while the line is away gets its size after it', async () => {
  visit.come('camera')
  session.want('other-camera', { layer: 0 })
  await server.until('resumeConsumer')
  await cut()
  session.want('other-camera', { layer: 2, first: true })
  await back()
  await server.until('setPreferredLayers', 2)
  expect(server.payloads('setPreferredLayers').at(-1)).toMatchObject({ spatialLayer: 2 })
  expect(server.payloads('setPriority').at(-1)).toMatchObject({ priority: 255 })
})

test('a page that is shown again does not wait for the next attempt', async () => {
  session.finish('left')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }) // no pause of this session's ends by itself
  enterAnew()
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
