import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Server } from 'socket.io'
import { expect, test, vi } from 'vitest'

import { Line } from '@/protocol/line'

const quiet = { onConnected: () => undefined, onLost: () => undefined, onRefused: () => undefined }
const way = (url = ''): string | null => new URL(url, 'http://host').searchParams.get('transport')

test('where WebSockets fail again and again it connects by long polling, and tries them first the next time', async () => {
  const http = createServer()
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  const server = new Server(http, { transports: ['polling'] })
  server.of('/rooms')
  const refused: (string | null)[] = []
  server.engine.on('connection_error', ({ req }: { req?: { url?: string } }) => refused.push(way(req?.url)))
  const { port } = http.address() as AddressInfo
  const line = new Line({ namespace: '/rooms', auth: {}, url: `http://127.0.0.1:${port}` }, quiet)
  line.socket.io.reconnectionDelayMax(1)

  line.open()
  await vi.waitFor(() => expect(line.connected).toBe(true), 5000)
  expect(refused).toEqual(Array(6).fill('websocket'))
  line.renew()
  await vi.waitFor(() => expect(refused.length).toBeGreaterThan(6), 5000)

  line.close()
  await server.close()
})
