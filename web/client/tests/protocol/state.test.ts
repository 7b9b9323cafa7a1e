import { beforeEach, expect, test } from 'vitest'

import { admitted } from './roomServer'

import { applyEvent, enterState, newRoomState, type RoomState } from '@/protocol/rooms/state'

let state: RoomState

beforeEach(() => {
  state = newRoomState()
  enterState(state, admitted())
  applyEvent(state, 'peerJoined', { peerId: 'a', displayName: '张伟', role: 'participant' })
})

const camera = { peerId: 'a', producerId: 'p', kind: 'video', source: 'camera', paused: false } as const

test('peers come, change their role and go', () => {
  applyEvent(state, 'peerJoined', { peerId: 'a', displayName: '张伟', role: 'host' })
  expect(state.peers.map(({ peerId, role }) => [peerId, role])).toEqual([['a', 'host']])
  applyEvent(state, 'peerLeft', { peerId: 'a', reason: 'left' })
  expect(state.peers).toEqual([])
})

test('producers are added once, paused, resumed and closed', () => {
  applyEvent(state, 'producerAdded', camera)
  applyEvent(state, 'producerAdded', camera)
  expect(state.peers[0]?.producers).toEqual([
    { producerId: 'p', kind: 'video', source: 'camera', paused: false },
  ])
  applyEvent(state, 'producerPaused', camera)
  expect(state.peers[0]?.producers[0]?.paused).toBe(true)
  applyEvent(state, 'producerResumed', camera)
  expect(state.peers[0]?.producers[0]?.paused).toBe(false)
  applyEvent(state, 'producerClosed', camera)
  expect(state.peers[0]?.producers).toEqual([])
})

test('a hand, the own one too', () => {
  applyEvent(state, 'handRaised', { peerId: 'a', raised: true })
  applyEvent(state, 'handRaised', { peerId: 'me', raised: true })
  expect([state.peers[0]?.handRaised, state.handRaised]).toEqual([true, true])
})

test('the item of the agenda that is on', () => {
  enterState(state, { ...admitted(), agenda: { items: ['一、学习', '二、讨论'], current: null } })
  applyEvent(state, 'agendaMarked', { item: 1, at: '2026-11-23T12:00:00Z' })
  expect(state.agenda).toEqual({ items: ['一、学习', '二、讨论'], current: 1 })
})

test('who waits in the lobby is listed once and goes again', () => {
  const waiting = { peerId: 'w', displayName: '赵敏', waiting: true }
  applyEvent(state, 'lobby', waiting)
  applyEvent(state, 'lobby', waiting)
  expect(state.waiting).toEqual([{ peerId: 'w', displayName: '赵敏' }])
  applyEvent(state, 'lobby', { ...waiting, waiting: false })
  expect(state.waiting).toEqual([])
})

test('reconnecting shows until the peer is back', () => {
  applyEvent(state, 'peerReconnecting', { peerId: 'a' })
  expect(state.peers[0]?.reconnecting).toBe(true)
  applyEvent(state, 'peerReconnected', { peerId: 'a' })
  expect(state.peers[0]?.reconnecting).toBe(false)
})

test('the speaker who leaves speaks no more', () => {
  applyEvent(state, 'activeSpeaker', { peerId: 'a' })
  applyEvent(state, 'peerLeft', { peerId: 'a', reason: 'lost' })
  expect(state.activeSpeaker).toBeNull()
})

test('coming back replaces all that was known', () => {
  enterState(
    state,
    admitted({
      peers: [{ peerId: 'b', displayName: '周洋', role: 'host', state: 'reconnecting', producers: [] }],
    }),
  )
  expect(state.peers.map(({ peerId, reconnecting }) => [peerId, reconnecting])).toEqual([['b', true]])
})

test("a host's list of troubles is the last one told, without who has gone", () => {
  const rows = ['a', 'b'].map((peerId) => ({ peerId, up: 2, down: 5, troubles: ['lossUp' as const] }))
  applyEvent(state, 'roomQuality', { peers: rows, omitted: 1 })
  applyEvent(state, 'peerLeft', { peerId: 'a', reason: 'left' })
  expect(state.quality).toEqual({ peers: [rows[1]], omitted: 1 })
  enterState(state, admitted())
  expect(state.quality).toEqual({ peers: [], omitted: 0 })
})
