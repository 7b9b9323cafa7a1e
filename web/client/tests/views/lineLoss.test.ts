import { expect, test } from 'vitest'
import { createApp, reactive } from 'vue'

import type { Quality } from '@/protocol/rooms/messages'
import { newRoomState } from '@/protocol/rooms/state'
import { useLineLoss, type LineLoss } from '@/views/room/call/useLineLoss'
import { ROOM, type Room } from '@/views/room/useRoom'

interface Row {
  connected?: boolean
  send?: boolean
  recv?: boolean
  network?: Quality
}

const told = (up: number, down: number, ...troubles: Quality['troubles']): Quality => ({ up, down, troubles })

const ROWS: [string, Row, LineLoss | null][] = [
  ['nothing while all flows', {}, null],
  ['the line', { connected: false }, 'line'],
  ['the line alone, whatever goes with it', { connected: false, send: false, recv: false }, 'line'],
  ['both ways', { send: false, recv: false }, 'both'],
  ['the way out', { send: false }, 'send'],
  ['the way in', { recv: false }, 'recv'],
  ['nothing of a line that is only bad', { network: told(0, 0, 'lossUp') }, null],
  ['the way out that the server alone misses', { network: told(0, 4, 'noPath') }, 'send'],
  ['the way in that the server alone misses', { network: told(3, 0, 'noPath') }, 'recv'],
  ['both ways that the server alone misses', { network: told(0, 0, 'noPath') }, 'both'],
  [
    'one way as seen here and the other as seen there',
    { send: false, network: told(5, 0, 'noPath') },
    'both',
  ],
]

test.each(ROWS)(
  'of the own line is gone: %s',
  (_what, { connected = true, send = true, recv = true, network }, loss) => {
    const state = reactive(newRoomState())
    const found = createApp({})
      .provide(ROOM, { state } as Room)
      .runWithContext(() => useLineLoss())
    expect(found.value).toBe('line') // who has not come in yet has none
    Object.assign(state, { connected, flows: { send, recv }, network: network ?? null })
    expect(found.value).toBe(loss)
  },
)
