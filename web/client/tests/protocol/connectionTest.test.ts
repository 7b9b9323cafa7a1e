import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Server } from 'socket.io'
import { afterEach, expect, test } from 'vitest'

import { ConnectionTest } from '@/protocol/connection-test/client'

/** How the server is reached, over a real socket. */

type Transports = ('websocket' | 'polling')[]

let server: Server | undefined
let client: ConnectionTest | undefined

afterEach(async () => {
  client?.close()
  await server?.close()
})

async function serving(transports: Transports, refusal?: object): Promise<ConnectionTest> {
  const http = createServer()
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  server = new Server(http, { transports })
  server
    .of('/connection-test')
    .use((_, next) => next(refusal && Object.assign(new Error(), { data: refusal })))
  const { port } = http.address() as AddressInfo
  return (client = new ConnectionTest('zh-CN', `http://127.0.0.1:${port}`))
}

test.each([
  [['websocket', 'polling'], 'websocket'],
  [['polling'], 'polling'],
] as [Transports, string][])('a server that lets %s through is reached by %s', async (transports, reach) => {
  const test = await serving(transports)
  await expect(test.connect()).resolves.toBe(reach)
})

test('who is refused does not try another way', async () => {
  const test = await serving(['websocket', 'polling'], { code: 'rate_limited' })
  await expect(test.connect()).rejects.toMatchObject({ code: 'rate_limited' })
})

test('where nothing leads to the server, that is said', async () => {
  const test = await serving(['polling'])
  await server?.close()
  await expect(test.connect()).rejects.toMatchObject({ code: 'network_unreachable' })
})
