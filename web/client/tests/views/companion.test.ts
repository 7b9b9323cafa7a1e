import { afterEach, beforeEach, expect, test } from 'vitest'
import { effectScope, nextTick, reactive, type ComputedRef, type EffectScope } from 'vue'

import { newRoomState, type Peer, type RoomState } from '@/protocol/rooms/state'
import { useCompanion, type CompanionNews } from '@/views/room/call/useCompanion'

let scope: EffectScope
let state: RoomState
let found: { news: ComputedRef<CompanionNews | null> }

const peer = (reconnecting = false): Peer => ({
  peerId: 'other',
  displayName: '李明',
  role: 'participant',
  reconnecting,
  handRaised: false,
  producers: [],
})

async function there(...peers: Peer[]): Promise<void> {
  state.peers = peers
  await nextTick()
}

async function blip(): Promise<void> {
  for (const connected of [false, true]) {
    state.connected = connected
    await nextTick()
  }
}

beforeEach(() => {
  state = reactive({ ...newRoomState(), connected: true })
  scope = effectScope()
  scope.run(() => {
    found = { news: useCompanion(state) }
  })
})
afterEach(() => scope.stop())

const GOINGS: [string, Peer | null, CompanionNews][] = [
  ['hung up', peer(), 'left'],
  ['was lost', peer(true), 'lost'],
  ['has not come', null, 'awaited'],
]
test.each(GOINGS)(
  'the other side that %s has so also after the own line was away',
  async (_, before, news) => {
    if (before) await there(before)
    await there()
    expect(found.news.value).toBe(news)
    await blip()
    expect(found.news.value).toBe(news)
  },
)

test('nothing is said of the other side while it is there, or while the own line is away', async () => {
  await there(peer(true))
  expect(found.news.value).toBe('reconnecting')
  state.connected = false
  expect(found.news.value).toBeNull()
  state.connected = true
  await there(peer())
  expect(found.news.value).toBeNull()
})
